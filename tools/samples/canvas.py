"""Coordinates, colors, noise, blur and tone mapping for all drawings. Arrays are [H,W] or [H,W,3], colors in 0..1."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

Array = NDArray[Any]
Rng = np.random.Generator


def plane(width: int, height: int) -> tuple[Array, Array]:
    """x [H,W] in 0..width/height and y [H,W] in 0..1 at the pixel centres, so that a circle is round."""
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    return (xs + 0.5) / height, (ys + 0.5) / height


def vec(*values: float) -> Array:
    """The values as a vector."""
    return np.array(values, np.float32)


def rgb(colour: str) -> Array:
    """[3] of a CSS colour."""
    return np.array(ImageColor.getrgb(colour)[:3], np.float32) / 255


def linear(colour: Array) -> Array:
    """Linear light of display colours."""
    return np.maximum(colour, 0) ** np.float32(2.2)


def ramp(t: Array | float, *stops: tuple[float, str]) -> Array:
    """[..., 3]: colours along `t`, linear between the (position, colour) stops."""
    positions = [position for position, _ in stops]
    colours = np.array([rgb(colour) for _, colour in stops])
    return np.stack([np.interp(t, positions, colours[:, c]) for c in range(3)], -1).astype(np.float32)


def smooth(low: Array | float, high: Array | float, t: Array | float) -> Array:
    """0 below `low`, 1 above `high`, a smooth step between; `low` > `high` falls instead."""
    s = np.clip((np.asarray(t, np.float32) - low) / (np.asarray(high, np.float32) - low), 0, 1)
    return (s * s * (3 - 2 * s)).astype(np.float32)


def mix(a: Array | float, b: Array | float, t: Array) -> Array:
    """`a` where t is 0, `b` where it is 1; t [H,W] mixes colours [3] or [H,W,3]."""
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    if t.ndim == 2 and 3 in (a.shape[-1:] + b.shape[-1:]):
        t = t[..., None]
    return a + (b - a) * t


def spline(points: Sequence[tuple[float, float]], count: int) -> Array:
    """[count,2] a Catmull-Rom curve through the points."""
    p = np.array([points[0], *points, points[-1]], np.float32)
    t = np.linspace(0, len(points) - 1 - 1e-4, count, dtype=np.float32)
    i, f = t.astype(int), (t % 1)[:, None]
    a, b, c, d = (p[i + k] for k in range(4))
    return 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)


def resized(a: Array, width: int, height: int) -> Array:
    """Bicubic [height,width] of an [h,w] array."""
    return np.asarray(
        Image.fromarray(np.ascontiguousarray(a, np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    )


def noise(width: int, height: int, cell: float | tuple[float, float], rng: Rng) -> Array:
    """Smooth noise of about unit variance whose blobs are `cell` (or (wide, high)) pixels large."""
    wide, high = cell if isinstance(cell, tuple) else (cell, cell)
    w, h = max(width / wide, 0.5), max(height / high, 0.5)
    grid = rng.standard_normal((int(h) + 4, int(w) + 4), np.float32)
    picture = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC, (1, 1, 1 + w, 1 + h))
    return np.asarray(picture) * np.float32(1.35)


def fbm(
    width: int, height: int, cell: float | tuple[float, float], rng: Rng, octaves: int = 5, gain: float = 0.5
) -> Array:
    """Noise in octaves of half the size and `gain` the strength each, of about unit variance."""
    wide, high = cell if isinstance(cell, tuple) else (cell, cell)
    total, power, strength = np.zeros((height, width), np.float32), 0.0, 1.0
    for octave in range(octaves):
        total += np.float32(strength) * noise(width, height, (wide / 2**octave, high / 2**octave), rng)
        power += strength**2
        strength *= gain
    return total / np.float32(power**0.5)


def blur(a: Array, radius: float) -> Array:
    """Three box blurs, about a Gaussian of standard deviation `radius` pixels; edges are repeated."""
    half = max(1, round(radius))
    for axis in (0, 1) * 3:
        pad = [(half + 1, half) if i == axis else (0, 0) for i in range(a.ndim)]
        total = np.cumsum(np.pad(a, pad, mode="edge"), axis, dtype=np.float64)
        n = a.shape[axis]
        upper = np.take(total, np.arange(2 * half + 1, 2 * half + 1 + n), axis)
        a = ((upper - np.take(total, np.arange(n), axis)) / (2 * half + 1)).astype(np.float32)
    return a


def sample(a: Array, x: Array, y: Array) -> Array:
    """Bilinear look-up of `a` [H,W] or [H,W,3] at pixel coordinates; outside, the edge is repeated."""
    x, y = np.clip(x, 0, a.shape[1] - 1.001), np.clip(y, 0, a.shape[0] - 1.001)
    left, top = x.astype(np.int32), y.astype(np.int32)
    fx, fy = (x - left).astype(np.float32), (y - top).astype(np.float32)
    if a.ndim == 3:
        fx, fy = fx[..., None], fy[..., None]
    upper = a[top, left] * (1 - fx) + a[top, left + 1] * fx
    lower = a[top + 1, left] * (1 - fx) + a[top + 1, left + 1] * fx
    return upper * (1 - fy) + lower * fy


def normals(height: Array, bump: float = 1.0) -> Array:
    """[H,W,3] unit normals (right, down, towards the viewer) of a height field in pixels."""
    dy, dx = np.gradient(height * np.float32(bump))
    n = np.stack([-dx, -dy, np.ones_like(dx)], -1)
    return n / np.linalg.norm(n, axis=-1, keepdims=True)


def picture_of(a: Array, width: int, height: int) -> Image.Image:
    """The RGB image of [H,W,3] in 0..1, reduced to (width, height), which antialiases it."""
    image = Image.fromarray((np.clip(a, 0, 1) * 255 + 0.5).astype(np.uint8))
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)


def pixels_of(image: Image.Image) -> Array:
    """[H,W,C] (or [H,W]) in 0..1."""
    return np.asarray(image, np.float32) / 255


def tone_map(light: Array, rng: Rng, vignette: float = 0.25, grain: float = 0.012) -> Array:
    """Display colors of linear light [H,W,3], as in a photograph: film curve, vignette, grain."""
    height, width = light.shape[:2]
    x, y = plane(width, height)
    rim = 1 - vignette * (((x - width / height / 2) ** 2 + (y - 0.5) ** 2) / 0.6)
    light = np.maximum(light * rim[..., None], 0)
    film = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)  # Narkowicz 2015, ACES fit
    positive = np.clip(film, 0, 1) ** np.float32(1 / 2.2)
    return positive + grain * rng.standard_normal((height, width, 1), np.float32)


def stack(layers: Sequence[Array]) -> Array:
    """[H,W,C] of C planes."""
    return np.stack(layers, -1)
