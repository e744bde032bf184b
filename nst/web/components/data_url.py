"""Files as data URLs, the form in which `dcc.Upload` and <img> carry them."""

import base64

from nst.errors import ImageError
from nst.web.service.base64_decoding import decode_base64


def encode(jpeg: bytes) -> str | None:
    """Return the data URL of a JPEG file; None if `jpeg` is empty."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else None


def decode(url: str) -> bytes:
    """Return the bytes of a data URL. Raises ImageError if they are not base64."""
    try:
        return decode_base64(url.partition(",")[2])
    except ValueError as error:
        raise ImageError(f"the upload is not base64: {error}") from error
