"""What commands write on standard error: notes and progress bars."""

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn


def note(text: str) -> None:
    """Print a line on standard error."""
    print(f"nst: {text}", file=sys.stderr)


def print_plain(console: Console, text: object) -> None:
    """Print `text` as it is: file names may look like rich's markup."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def progress_bar(console: Console) -> Progress:
    """A bar with a description, which disappears when it is done."""
    return Progress(SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), console=console, transient=True)
