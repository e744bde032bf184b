"""Base64 of large files, decoded in slices that let other threads run."""

import base64
import binascii
import time

SLICE = 2**22  # characters that are decoded at a time; a multiple of 4


def decode_base64(text: str) -> bytes:
    """Return the bytes that base64 text stands for; white space in it is skipped. Raises ValueError.

    One call for the text of a large picture would hold Python's global lock, and so stop the server, until it is done.
    """
    if any(space in text for space in " \t\r\n"):
        text = "".join(text.split())
    slices = []
    for start in range(0, len(text), SLICE):
        piece = text[start : start + SLICE]
        if start + SLICE < len(text) and "=" in piece[-2:]:
            raise binascii.Error("Excess data after padding")
        slices.append(base64.b64decode(piece, validate=True))
        time.sleep(0)  # releases the lock
    return b"".join(slices)
