"""Types of arguments that several benchmarks take."""

import argparse
from collections.abc import Callable


def whole_number(low: int, high: int, multiple: int = 1) -> Callable[[str], int]:
    """A reader of whole numbers within the bounds, for `add_argument`'s `type`."""

    def read_number(text: str) -> int:
        rule = f"a whole number between {low} and {high}" + (f", a multiple of {multiple}" if multiple > 1 else "")
        if not text.isdecimal() or not low <= int(text) <= high or int(text) % multiple:
            raise argparse.ArgumentTypeError(f"must be {rule}, got {text!r}")
        return int(text)

    return read_number
