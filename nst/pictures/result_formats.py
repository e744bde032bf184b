"""A result, which is made as a PNG, in the other formats in which the command line writes it."""

import io

from PIL import Image

from nst.pictures.provenance import KEYWORD

RESULT_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
RESULT_QUALITY = {"JPEG": 92, "WEBP": 90}


def result_as(png: bytes, suffix: str) -> bytes:
    """Return a result as the file type of `suffix`, one of RESULT_SUFFIXES.

    A JPEG has the settings in its comment and white where the PNG is transparent; a WebP has no settings.
    """
    if suffix.lower() == ".png":
        return png
    opened = Image.open(io.BytesIO(png))
    settings, picture = opened.info.get(KEYWORD, ""), opened.copy()
    file = io.BytesIO()
    if suffix.lower() == ".webp":
        picture.save(file, "WEBP", quality=RESULT_QUALITY["WEBP"])
        return file.getvalue()
    if "A" in picture.getbands():
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    comment = f"{KEYWORD}\0{settings}".encode()
    picture.convert("RGB").save(file, "JPEG", quality=RESULT_QUALITY["JPEG"], subsampling="4:4:4", comment=comment)
    return file.getvalue()
