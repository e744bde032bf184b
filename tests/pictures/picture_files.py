"""Pictures in many formats and color modes, as files."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

HEIGHT, WIDTH = 40, 60
LOSSLESS, LOSSY = 1.01 / 510, 0.04  # half an 8-bit step; a good JPEG's error, of 0..1


def ramp(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Three smooth ramps that no turn maps onto themselves. uint8 [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([255 * x / width, 255 * y / height, 200 - 150 * x * y / (width * height)], -1).astype(np.uint8)


RAMP = Image.fromarray(ramp())
GREY = RAMP.convert("L")


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def as_floats(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB"), np.float32) / 255


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG by hand: what Pillow cannot write. `rows` are samples without filter bytes."""
    stride = len(rows) // height
    filtered = b"".join(b"\0" + rows[i * stride : (i + 1) * stride] for i in range(height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(filtered)) + chunk(b"IEND", b"")


def translucent(mode: str = "RGBA") -> Image.Image:
    picture = RAMP.convert(mode)
    picture.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    return picture


DEEP = ramp().astype(">u2") * 257
PALETTE = RAMP.quantize(32)
SOFT = Image.fromarray((64 + ramp() // 2).astype(np.uint8))
SRGB, LAB = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
OPAQUE = {
    "PNG": (encoded(RAMP, "PNG"), RAMP, LOSSLESS),
    "PNG, grey": (encoded(GREY, "PNG"), GREY, LOSSLESS),
    "PNG, black and white": (encoded(GREY.convert("1"), "PNG"), GREY.convert("1"), LOSSLESS),
    "PNG, palette": (encoded(PALETTE, "PNG"), PALETTE, LOSSLESS),
    "PNG, 16 bit": (png(WIDTH, HEIGHT, 16, 2, DEEP.tobytes()), RAMP, LOSSLESS),
    "PNG, 16 bit grey": (png(WIDTH, HEIGHT, 16, 0, (np.asarray(GREY).astype(">u2") * 257).tobytes()), GREY, LOSSLESS),
    "PNG, RGBA all opaque": (encoded(RAMP.convert("RGBA"), "PNG"), RAMP, LOSSLESS),
    "JPEG": (encoded(RAMP, "JPEG", quality=95), RAMP, LOSSY),
    "JPEG, progressive": (encoded(RAMP, "JPEG", quality=95, progressive=True), RAMP, LOSSY),
    "JPEG, grey": (encoded(GREY, "JPEG", quality=95), GREY, LOSSY),
    "JPEG, CMYK as Adobe inverts it": (encoded(RAMP.convert("CMYK"), "JPEG", quality=98), RAMP, LOSSY),
    "WebP": (encoded(RAMP, "WEBP", lossless=True), RAMP, LOSSLESS),
    "WebP, animated": (
        encoded(RAMP, "WEBP", save_all=True, append_images=[RAMP.rotate(180)], lossless=True),
        RAMP,
        LOSSLESS,
    ),
    "GIF": (encoded(PALETTE, "GIF"), PALETTE, LOSSLESS),
    "GIF, animated": (encoded(PALETTE, "GIF", save_all=True, append_images=[PALETTE.rotate(180)]), PALETTE, LOSSLESS),
    "BMP": (encoded(RAMP, "BMP"), RAMP, LOSSLESS),
    "TIFF": (encoded(RAMP, "TIFF"), RAMP, LOSSLESS),
    "TIFF, packed": (encoded(RAMP, "TIFF", compression="tiff_lzw"), RAMP, LOSSLESS),
    "TIFF, CMYK": (encoded(RAMP.convert("CMYK"), "TIFF"), RAMP, LOSSLESS),
    "TIFF, Lab": (encoded(ImageCms.profileToProfile(SOFT, SRGB, LAB, outputMode="LAB"), "TIFF"), SOFT, 1.5 * LOSSY),
    "TIFF, 16 bit grey": (
        encoded(Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257), "TIFF"),
        GREY,
        LOSSLESS,
    ),
    "TIFF, float in 0..1": (encoded(Image.fromarray(np.asarray(GREY, np.float32) / 255), "TIFF"), GREY, LOSSLESS),
    "TIFF, float in 0..255": (encoded(Image.fromarray(np.asarray(GREY, np.float32)), "TIFF"), GREY, LOSSLESS),
}


EXIF_FORMATS = {"JPEG": {"quality": 95}, "PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}}
ALPHAS = {
    "PNG, RGBA": encoded(translucent(), "PNG"),
    "PNG, grey and alpha": encoded(translucent("L"), "PNG"),
    "WebP": encoded(translucent(), "WEBP", lossless=True, exact=True),
    "TIFF": encoded(translucent(), "TIFF"),
}
