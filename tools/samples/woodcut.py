"""A style picture as a color woodcut: a wave in bands."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from tools.samples.canvas import (
    Array,
    Rng,
    fbm,
    mix,
    noise,
    picture_of,
    pixels_of,
    plane,
    ramp,
    rgb,
    smooth,
    spline,
    vec,
)
from tools.samples.strokes import across

Fill = Callable[[Array, str], None]
Ribbon = Callable[[Array, Array | float, str], None]

INDIGO, PRUSSIAN, AZURE, MIST, FOAM = "#14294f", "#1f4a80", "#5f93b4", "#a9c6c6", "#f1e8d2"


def great_swell() -> Image.Image:
    """Draw a sea as a woodcut: bands of blue, branching foam, a snowy mountain, wood grain."""
    rng, (width, height), scale = np.random.default_rng(14), (768, 576), 2
    w, h = width * scale, height * scale
    x, y = plane(w, h)
    grain = fbm(w, h, (420, 26), rng, 3)
    rings = np.sin(38 * (y + 0.06 * grain + 0.03 * np.sin(4 * x)) * 6)
    sky = ramp(
        y + 0.02 * grain, (0, "#8f9c98"), (0.16, "#c9bf9c"), (0.34, "#ecd9a8"), (0.52, "#f0c890"), (0.66, "#e39c72")
    )
    sky = mix(sky, rgb("#b8a888"), 0.20 * smooth(0.25, 1.0, rings))
    image = Image.fromarray((np.clip(sky, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)

    def fill(outline: Array, colour: str) -> None:
        draw.polygon((outline * h).ravel().tolist(), colour)

    def ribbon(path: Array, girth: Array | float, colour: str) -> None:
        side = across(path[None])[0] * np.broadcast_to(girth, len(path))[:, None] / 2
        fill(np.concatenate([path + side, (path - side)[::-1]]), colour)

    _sun_and_clouds(fill, ribbon, rng)
    _mountain(fill)
    back = spline(
        [(-0.12, 0.86), (-0.02, 0.56), (0.14, 0.32), (0.36, 0.14), (0.58, 0.10), (0.75, 0.20), (0.83, 0.36)], 120
    )
    face = spline(
        [
            (1.25, 1.02),
            (0.86, 0.93),
            (0.60, 0.78),
            (0.49, 0.60),
            (0.50, 0.43),
            (0.60, 0.33),
            (0.72, 0.32),
            (0.82, 0.375),
        ],
        120,
    )
    swells = [(0.70, 0.055, 0.45, 0.5), (0.79, 0.06, 0.62, 2.2)]
    for base, swing, period, phase in swells:
        _swell(fill, ribbon, base, swing, period, phase, rng)
    fill(np.concatenate([back, face[::-1], [[-0.12, 1.1]]]), INDIGO)
    _bands(ribbon, back, face, 17)
    for k in range(26):
        _foam_cluster(ribbon, back, 0.36 + 0.64 * k / 25, 1.0, rng)
    for k in range(9):
        _foam_cluster(ribbon, face, 0.72 + 0.28 * k / 8, 0.6, rng)
    for base, swing, period, phase in [(0.90, 0.07, 0.80, 4.2), (1.0, 0.06, 0.66, 1.2)]:
        _swell(fill, ribbon, base, swing, period, phase, rng)
    for _ in range(150):
        px, py = 0.62 + rng.normal(0, 0.2), 0.42 + rng.normal(0, 0.13)
        r = rng.uniform(0.002, 0.006)
        draw.ellipse([(px - r) * h, (py - r) * h, (px + r) * h, (py + r) * h], FOAM)
    ink = pixels_of(image)
    fibre = fbm(w, h, (90, 2.5), rng, 3)
    speck = smooth(1.25, 2.1, fbm(w, h, (14, 3), rng, 3) + 0.35 * grain)
    ink = ink * (1 + 0.035 * fibre + 0.03 * noise(w, h, 2, rng) + 0.05 * grain)[..., None]
    ink = mix(ink, rgb("#e9dcbc"), 0.55 * speck)
    ink = ink * 0.97 + 0.03 * rgb("#f3dfae")
    return picture_of(ink, width, height)


def _sun_and_clouds(fill: Fill, ribbon: Ribbon, rng: Rng) -> None:
    a = np.linspace(0, 2 * np.pi, 90)
    fill(np.stack([1.10 + 0.085 * np.cos(a), 0.27 + 0.085 * np.sin(a)], -1), "#c8452e")
    for px, py, length in [
        (0.98, 0.34, 0.40),
        (1.02, 0.16, 0.34),
        (0.06, 0.12, 0.34),
        (0.9, 0.46, 0.34),
        (0.02, 0.26, 0.2),
    ]:
        for k in range(6):
            s = np.linspace(0, 1, 60)
            x0 = px + rng.uniform(-0.05, 0.10)
            path = np.stack([x0 + s * length * rng.uniform(0.6, 1), py + 0.013 * k + 0.004 * np.sin(9 * s + k)], -1)
            ribbon(path, 0.0125 * np.sin(np.pi * s) ** 0.4, "#8a8f86")
            ribbon(path, 0.0090 * np.sin(np.pi * s) ** 0.4, "#efdcb4" if k % 3 else "#d9b98c")


def _mountain(fill: Fill) -> None:
    s = np.linspace(-1, 1, 400)
    rise = 0.185 * np.exp(-2.6 * np.abs(s) ** 1.15)
    ridge = np.stack([0.995 + 0.36 * s, 0.655 - rise], -1)
    fill(np.concatenate([ridge, [[1.5, 0.80], [0.4, 0.80], [0.4, 0.66]]]), "#3c5f86")
    line = 0.555 + 0.030 * np.abs((s * 17) % 2 - 1) + 0.012 * np.abs((s * 43) % 2 - 1)
    snow = ridge[:, 1] < line
    fill(np.concatenate([ridge[snow], np.stack([ridge[snow, 0], line[snow]], -1)[::-1]]), FOAM)
    for k in range(7):
        line = np.stack([0.75 + 0.07 * k + 0.02 * s, 0.655 - 0.008 + 0.004 * k % 0.012 + 0 * s], -1)
        fill(np.concatenate([line, line[::-1] + vec(0, 0.0025)]), "#24436b")


def _bands(ribbon: Ribbon, back: Array, face: Array, count: int) -> None:
    """Draw the stripes of a wave between its back and its face; they narrow towards the crest."""
    s = np.linspace(0, 1, len(back))
    gap = np.linalg.norm(face - back, axis=-1)
    for k in range(count):
        t = (k + 0.5) / count
        path = back + (face - back) * (t + 0.02 * np.sin(7 * s + k))[:, None]
        colour = (PRUSSIAN, MIST, AZURE)[k % 3]
        girth = gap / count * (0.62, 0.34, 0.5)[k % 3] * (1 - 0.25 * s)
        ribbon(path, np.maximum(girth * np.clip(np.sin(np.pi * np.clip(s * 1.02, 0, 1)) * 3, 0.15, 1), 0.0012), colour)


def _swell(fill: Fill, ribbon: Ribbon, base: float, swing: float, period: float, phase: float, rng: Rng) -> None:
    """Draw a row of smaller pointed waves, each with bands and foam along the crest."""
    x = np.linspace(-0.15, 1.5, 300)
    lift = np.abs(np.sin(np.pi * (x / period) + phase)) ** 0.8
    crest = np.stack([x + 0.10 * swing * np.sin(2 * np.pi * x / period + 2 * phase), base + swing * (lift - 1)], -1)
    crest[:, 1] = base - swing * (1 - lift)
    floor = np.stack([x, np.full_like(x, base + 0.30)], -1)
    fill(np.concatenate([crest, floor[::-1]]), INDIGO)
    for k in range(10):
        fade = np.exp(-0.18 * k)
        path = crest.copy()
        path[:, 1] = base - swing * (1 - lift) * fade + 0.006 + 0.019 * k
        wide = 0.010 * (0.55 + 0.45 * np.sin(2 * np.pi * x / period + 2 * phase + 0.8 * k))
        ribbon(path, np.maximum(wide, 0.0015), (AZURE, PRUSSIAN, MIST)[k % 3])
    ribbon(crest, 0.009, FOAM)
    peaks = np.where((lift[1:-1] < lift[:-2]) & (lift[1:-1] <= lift[2:]))[0] + 1
    for peak in peaks:
        for k in range(-16, 17, 2):
            i = np.clip(peak + k, 1, len(crest) - 2)
            _foam_branch(ribbon, crest[i], -np.pi / 2 + 0.5 + 0.03 * k, 0.05 * (1 - abs(k) / 22), 1.8, rng)


def _foam_cluster(ribbon: Ribbon, curve: Array, where: float, size: float, rng: Rng) -> None:
    """Draw four branches of foam that start at the crest and bend over."""
    i = int(where * (len(curve) - 2))
    d = curve[i + 1] - curve[i]
    heading = np.arctan2(d[1], d[0])
    for _ in range(4):
        lean = rng.uniform(-1.0, 0.35)
        start = curve[i] + rng.normal(0, 0.008, 2)
        _foam_branch(ribbon, start, heading + lean, size * rng.uniform(0.05, 0.085), rng.uniform(1.2, 2.4), rng)


def _foam_branch(
    ribbon: Ribbon, start: Array, heading: float, length: float, bend: float, rng: Rng, depth: int = 2
) -> None:
    """Draw a branch of foam with smaller ones on it: dark outline, pale inside."""
    s = np.linspace(0, 1, 16)
    a = heading + bend * s**1.4
    path = start + np.cumsum(np.stack([np.cos(a), np.sin(a)], -1), 0) * length / 16
    girth = length * 0.34 * (1 - s) ** 0.7 * (0.65 + 0.35 * np.sin(np.pi * s))
    ribbon(path, girth + 0.0048, INDIGO)
    if depth:
        for k in (4, 8, 11):
            side = -0.9 if k % 2 == 0 else 0.5
            _foam_branch(ribbon, path[k], a[k] + side + rng.normal(0, 0.2), length * 0.45, bend * 1.1, rng, depth - 1)
    ribbon(path, girth, FOAM)
    if length > 0.03:
        ribbon(path[2:11] + 0.10 * length, girth[2:11] * 0.22, AZURE)
