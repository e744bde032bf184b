"""Style pictures on paper: etching and watercolour."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from tools.samples.canvas import (
    Array,
    Rng,
    blur,
    fbm,
    mix,
    noise,
    normals,
    picture_of,
    pixels_of,
    plane,
    ramp,
    rgb,
    smooth,
    vec,
)
from tools.samples.strokes import at, seeds, streamlines


def castle_etching() -> Image.Image:
    """Draw a castle over a gorge in lines: tone sets their density and width, shape their direction."""
    rng, (width, height), scale = np.random.default_rng(23), (640, 768), 3
    tone, form = _castle(width, height, rng)
    sheet = Image.new("L", (width * scale, height * scale), 255)
    draw = ImageDraw.Draw(sheet)
    passes = [(0.0, 3.0, 0.97, 46.0), (1.05, 3.3, 0.62, 26.0), (-0.85, 3.3, 0.40, 22.0), (0.5, 2.8, 0.22, 16.0)]
    for turn, spacing, limit, length in passes:
        points = seeds(width, height, spacing * 2.1, rng)
        points = points[at(tone, points) < limit]
        paths = streamlines(
            points,
            form + np.float32(turn),
            length * rng.uniform(0.5, 1.3, len(points)),
            10,
            rng.normal(0, 0.05, len(points)),
        )
        dark = np.clip((limit - at(tone, paths)) / limit, 0, 1)
        girth = (dark**0.9 * 1.75) * np.sin(np.linspace(0.3, np.pi - 0.2, paths.shape[1])) ** 0.5
        girth[dark < 0.02] = 0
        for path, g in zip((paths * scale).tolist(), np.round(girth * scale).astype(int).tolist(), strict=True):
            for p, q, wide in zip(path, path[1:], g, strict=False):
                if wide:
                    draw.line((*p, *q), 28, wide)
    ink = 1 - pixels_of(sheet.reduce(scale))
    paper = ramp(0.5 + 0.2 * fbm(width, height, 140, rng, 5), (0, "#d9c49a"), (1, "#f3e6c8"))
    paper *= (1 + 0.02 * fbm(width, height, 3, rng, 3) + 0.015 * noise(width, height, (80, 1.6), rng))[..., None]
    plate = 0.06 + 0.03 * fbm(width, height, 60, rng, 4)
    wash = 0.14 * (1 - tone) ** 2
    ink = np.clip(ink * (0.95 + 0.1 * noise(width, height, 3, rng)) + plate * 0.5 + wash, 0, 1)
    return picture_of(mix(paper, rgb("#2a1a12"), ink * 0.95), width, height)


def _castle(width: int, height: int, rng: Rng) -> tuple[Array, Array]:
    """(Tone [H,W], 1 is light; angle of the main lines [H,W] in radians)."""
    x, y = plane(width, height)
    clouds = fbm(width, height, (210, 110), rng, 5)
    billow = normals(blur(clouds, 3) * 16)
    tone = 0.74 + 0.26 * (billow @ vec(-0.6, -0.6, 0.3)) - 0.35 * smooth(0.2, 1.2, clouds) * smooth(0.5, 0.0, y)
    rays = np.sin(30 * np.arctan2(y - 0.05, x - 0.14)) * smooth(0.55, 0.2, np.hypot(x - 0.14, y - 0.05))
    tone = tone + 0.10 * rays + 0.22 * np.exp(-(((x - 0.14) ** 2 + (y - 0.05) ** 2) / 0.03))
    form = 0.10 * np.sin(6 * x) + 0.5 * np.arctan(blur(clouds, 8) * 1.2)
    strata = fbm(width, height, (60, 120), rng, 5)
    rocks = [
        (0.55 - 0.10 * np.exp(-(((x - 0.10) / 0.20) ** 2)) + 0.02 * np.sin(17 * x), 0.72, 0.25),
        (0.60 - 0.24 * smooth(0.36, 0.50, x) * smooth(0.98, 0.70, x) + 0.02 * np.sin(22 * x), 0.50, 0.45),
        (0.86 - 0.30 * smooth(0.34, 0.0, x) + 0.12 * smooth(0.5, 0.85, x) * -1 + 0.015 * np.sin(31 * x), 0.46, 0.62),
    ]
    for k, (ridge, light, contrast) in enumerate(rocks):
        ridge = ridge + (0.012 + 0.008 * k) * fbm(width, height, (26, 400), rng, 4)
        inside = y > ridge
        relief = normals((fbm(width, height, (46, 110), rng, 6, 0.6) + 0.6 * strata) * (9 + 3 * k))
        shade = relief @ vec(-0.75, -0.35, 0.55)
        rock = light + contrast * (shade - 0.3) + 0.25 * smooth(0.02, 0.25, y - ridge) * (1 - k / 2) - 0.10 * k
        tone = np.where(inside, rock, tone)
        form = np.where(inside, np.pi / 2 - 0.35 + 0.9 * np.arctan(relief[..., 0]) + 0.25 * k, form)
    river = smooth(0.0, 0.03, y - 0.66) * smooth(
        0.055, 0.03, np.abs(x - 0.40 - 0.10 * np.sin(9 * y)) - 0.10 * (y - 0.60) * 2.2
    )
    tone = mix(
        tone,
        0.92
        - 0.4
        * smooth(0.2, 1, np.sin(70 * np.log(np.maximum(y - 0.5, 0.01)) + 3 * np.sin(19 * x + 30 * y) + 2 * strata)),
        river,
    )
    form = np.where(river > 0.5, 0.0, form)
    for cx, half, base, top, roof in [
        (0.60, 0.085, 0.42, 0.27, 0.0),
        (0.52, 0.030, 0.43, 0.19, 0.085),
        (0.66, 0.036, 0.42, 0.14, 0.11),
        (0.735, 0.026, 0.44, 0.24, 0.07),
        (0.455, 0.020, 0.45, 0.30, 0.05),
        (0.585, 0.022, 0.30, 0.10, 0.09),
        (0.79, 0.05, 0.45, 0.34, 0.0),
    ]:
        u = (x - cx) / half
        wall = (np.abs(u) < 1) & (y > top) & (y < base + 0.02 * np.sin(40 * x))
        if not roof:
            wall &= (y > top + 0.012) | (np.sin(u * 16) > 0)
        cone = (y <= top) & (y > top - roof) & (np.abs(u) < 1.25 * (y - top + roof) / (roof + 1e-6))
        tone = np.where(wall, 0.88 - 0.62 * smooth(-0.5, 0.9, u) - 0.08 * (np.sin(y * 500) > 0.8), tone)
        tone = np.where(cone, 0.58 - 0.5 * smooth(-0.6, 0.5, u), tone)
        form = np.where(wall, np.pi / 2, np.where(cone, np.pi / 2 - 0.3 * u, form))
        for k in range(3):
            slit = (np.abs(u + 0.25 - 0.3 * (k % 2)) < 0.14) & (np.abs(y - top - 0.03 - 0.038 * k) < 0.009) & wall
            tone = np.where(slit, 0.03, tone)
    tree = fbm(width, height, 22, rng, 4)
    for cx, cy, r in [
        (0.05, 0.40, 0.13),
        (0.14, 0.30, 0.10),
        (0.02, 0.24, 0.11),
        (0.17, 0.43, 0.07),
        (0.80, 0.70, 0.07),
        (0.72, 0.74, 0.05),
    ]:
        d = np.hypot(x - cx, y - cy) / r + 0.19 * tree
        leaf = normals(blur(noise(width, height, 13, rng) + noise(width, height, 26, rng), 1.5) * 7) @ np.array(
            [-0.7, -0.6, 0.3], np.float32
        )
        tone = np.where(d < 1, 0.28 + 0.55 * leaf - 0.25 * (x - cx + y - cy) / r, tone)
        form = np.where(d < 1, 0.8 * np.sin(40 * x) + 2.2 * np.sin(33 * y + 7 * tree), form)
    trunk = np.abs(x - 0.055 - 0.03 * np.sin(9 * y)) < 0.016 + 0.03 * smooth(0.66, 0.82, y)
    trunk &= (y > 0.36) & (y < 0.80)
    tone = np.where(trunk, 0.5 - 14 * (x - 0.055 - 0.03 * np.sin(9 * y)), tone)
    return np.clip(tone, 0.02, 1).astype(np.float32), form.astype(np.float32)


def poppy_washes() -> Image.Image:
    """Draw poppies in watercolor: soft blooms, hard edges of dried washes, pigment in the paper's grain."""
    rng, (width, height) = np.random.default_rng(31), (640, 768)
    x, y = plane(width, height)
    tooth = fbm(width, height, 3.5, rng, 3)
    density = np.zeros((height, width, 3), np.float32)
    edges, pools = fbm(width, height, 40, rng, 5, 0.6), fbm(width + 400, height + 400, 70, rng, 4)

    def wash(shape: Array, colour: str, strength: float, rim: float = 0.5, wet: float = 0.0) -> None:
        """Add pigment where `shape` > 0, denser along the rim and in the paper's grain."""
        soft = 0.012 + wet
        mask = smooth(-soft, soft, shape + (0.02 + 0.3 * wet) * edges)
        edge = np.exp(-(((shape + 0.02 * edges) / 0.012 - 0.6) ** 2)) * rim
        top, left = rng.integers(0, 400, 2)
        drift = pools[top : top + height, left : left + width]
        pool = 1 + 0.35 * drift + 0.22 * tooth * smooth(0.2, -0.5, wet)
        amount = np.clip(mask * pool + edge, 0, None) * strength
        nonlocal density
        density = density + amount[..., None] * -np.log(np.clip(rgb(colour), 0.02, 0.99))

    for _ in range(26):
        cx, cy, r = rng.uniform(-0.05, 0.9), rng.uniform(-0.05, 1.05), rng.uniform(0.12, 0.30)
        stretch = rng.uniform(0.6, 1.5)
        cool = ["#a9cbe0", "#b8d8c0", "#f3dfa0", "#cfe0a8", "#e8c9d8", "#9fc4c8"]
        low = ["#9fbf6a", "#6fa070", "#c9c86a", "#5f9a8c", "#86a84e"]
        colour = (cool if cy < 0.5 else low)[rng.integers(5)]
        wash(
            1 - np.hypot((x - cx) / r, (y - cy) / (r * stretch)) + 0.25 * noise(width, height, 60, rng),
            colour,
            0.34,
            0.10,
            0.35,
        )
    stems, buds = np.zeros_like(x) - 1, [(0.50, 0.10), (0.22, 0.72), (0.62, 0.80)]
    flowers = [
        (0.30, 0.26, 0.150),
        (0.60, 0.38, 0.165),
        (0.16, 0.52, 0.105),
        (0.72, 0.14, 0.095),
        (0.45, 0.62, 0.12),
        (0.74, 0.66, 0.09),
        (0.08, 0.20, 0.06),
    ]
    for cx, cy in [*((cx, cy + 0.85 * r) for cx, cy, r in flowers), *buds]:
        root = 0.42 + 0.5 * (cx - 0.42) + rng.normal(0, 0.05)
        t = np.clip((y - cy) / (1.02 - cy), 0, 1)
        bend = cx + (root - cx) * t + 0.03 * (np.sin(5 * t + 9 * cx) - np.sin(9 * cx))
        stems = np.maximum(stems, np.where(y > cy, 0.006 - np.abs(x - bend), -1) * 8)
    wash(stems, "#4a7a3c", 1.0, 0.4)
    for cx, cy in buds:
        wash(0.2 * (1 - np.hypot((x - cx) / 0.018, (y - cy) / 0.030)), "#5f8a48", 0.9, 0.5)
        wash(0.2 * (0.6 - np.hypot((x - cx) / 0.016, (y - cy + 0.014) / 0.020)), "#d9402c", 0.9, 0.4)
    for _ in range(34):
        cx, cy, r, a = (
            rng.uniform(-0.02, 0.86),
            rng.uniform(0.74, 1.04),
            rng.uniform(0.06, 0.16),
            rng.normal(-1.4, 0.55),
        )
        u, v = (x - cx) * np.cos(a) + (y - cy) * np.sin(a), (y - cy) * np.cos(a) - (x - cx) * np.sin(a)
        blade = 1 - np.hypot(u / r, (v - 1.2 * u * u) / (0.14 * r))
        wash(0.12 * blade, ["#4f7f3c", "#7fa048", "#2f6a58", "#98a83c"][rng.integers(4)], 0.55, 0.4)
    for cx, cy, r in flowers:
        _paint_poppy(wash, x - cx, y - cy, r, width, height, rng)
    spray = np.zeros_like(x) - 1
    for _ in range(110):
        cx, cy, r = rng.uniform(0, 0.84), rng.uniform(0, 1), rng.uniform(0.0005, 0.0028)
        spray = np.maximum(spray, (r - np.hypot(x - cx, y - cy)) * 30)
    wash(spray, "#c8402c", 0.8, 0.5)
    bloom = smooth(0.8, 1.5, fbm(width, height, 120, rng, 6, 0.65))
    density *= (1 - 0.35 * bloom)[..., None]
    paper = 0.965 + 0.012 * tooth
    shade = normals(tooth * 0.9) @ vec(-0.5, -0.5, 0.71) / 0.71
    out = np.exp(-0.88 * density) * paper[..., None] * rgb("#fffaf0") * (0.87 + 0.13 * shade)[..., None]
    return picture_of(out, width, height)


def _paint_poppy(wash: Callable[..., None], dx: Array, dy: Array, r: float, width: int, height: int, rng: Rng) -> None:
    """Paint overlapping petals, veins and a dark center."""
    a, d = np.arctan2(dy, dx), np.hypot(dx, dy * 1.15)
    ruffle = noise(width, height, 24, rng) * 0.05 + 0.03 * np.sin(9 * a) + 0.02 * np.sin(17 * a + 1)
    for k in range(4):
        turn = k * np.pi / 2 + rng.uniform(-0.3, 0.3) + 0.6
        off = np.hypot(dx - 0.42 * r * np.cos(turn), (dy - 0.36 * r * np.sin(turn)) * 1.1)
        colour = ["#e8442a", "#f0683a", "#d92b2b", "#f2804a"][k]
        wash(0.35 * (0.72 - off / r + ruffle), colour, 0.52, 0.6)
    veins = np.abs(np.sin(19 * a + 6 * noise(width, height, 60, rng)))
    wash(0.40 * (smooth(0.25, 0.0, veins) * smooth(0.95, 0.2, d / r) - 0.5), "#b3202a", 0.30, 0.2)
    wash(0.35 * (0.34 - d / r + 0.05 * np.sin(11 * a)), "#6a2038", 0.7, 0.3, 0.06)
    wash(0.35 * (0.17 - d / r), "#2a2a30", 1.2, 0.4)
