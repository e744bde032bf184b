"""From Pillow's color modes to sRGB: deep gray, palettes, CMYK, LAB, embedded ICC profiles and transparency."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Array = NDArray[np.float32]


def in_plain_mode(image: Image.Image) -> Image.Image:
    """The picture in mode L, RGB, RGBA, CMYK, or F (deep gray) in 0..1."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_deep_gray(np.asarray(image, np.float32), image.mode))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, lab, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def to_rgb(image: Image.Image, profile: bytes | None) -> Array:
    """float32 [H, W, 3] in 0..1, sRGB, without alpha, of a picture in a plain mode; `profile` is its ICC profile."""
    if image.mode == "F":
        return np.repeat(np.asarray(image)[..., None], 3, axis=-1)
    if image.mode == "RGBA":
        image = image.convert("RGB")
    if profile:
        image = _to_srgb(image, profile)
    return np.asarray(image.convert("RGB"), np.float32) / np.float32(255)


def over_mean_color(rgb: Array, alpha: Array) -> Array:
    """`rgb` [H, W, 3] over the mean of its visible colors, by `alpha` [H, W].

    The colors under full transparency are arbitrary; without this they would be painted.
    """
    cover = alpha[..., None]
    visible = float(alpha.sum(dtype=np.float64))
    mean = (rgb * cover).sum((0, 1), dtype=np.float64) / visible if visible else np.full(3, 0.5)
    return (mean + cover * (rgb - mean)).astype(np.float32)


def _deep_gray(values: Array, mode: str) -> Array:
    """`values` as 0..1. Except for 16 bit the file does not state the range: the smallest usual one that fits."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max())
    white = (
        65535.0 if mode.startswith("I;16") else next((usual for usual in (1.0, 255.0, 65535.0) if top <= usual), top)
    )
    return np.clip(values / white, 0, 1)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture with its ICC profile applied; unchanged if the profile is damaged or for other channels."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
