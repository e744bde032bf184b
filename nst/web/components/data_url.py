"""Pictures as data URLs, which need no request of their own."""

import base64


def encode(jpeg: bytes) -> str | None:
    """Return the data URL of a JPEG file; None if `jpeg` is empty."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else None
