"""A pointillist style picture: a riverbank in dots of pure color."""

import numpy as np
from PIL import Image, ImageDraw

from tools.samples.canvas import Array, Rng, fbm, mix, noise, picture_of, pixels_of, plane, ramp, rgb, smooth
from tools.samples.strokes import at, seeds


def river_points() -> Image.Image:
    """Draw a riverbank at noon in dots of nearly pure color."""
    rng, (width, height) = np.random.default_rng(3), (768, 576)
    x, y = plane(width, height)
    target = ramp(
        y + 0.04 * fbm(width, height, 150, rng), (0, "#6f9fd8"), (0.2, "#a9c8e6"), (0.34, "#f6dcb8"), (0.40, "#f9c89a")
    )
    cloud = smooth(0.3, 1.3, fbm(width, height, (170, 60), rng)) * smooth(0.36, 0.15, y)
    target = mix(target, rgb("#fdf0e0"), 0.8 * cloud)
    far = y > 0.37 + 0.018 * np.sin(5 * x) + 0.012 * fbm(width, height, 30, rng)
    target = np.where(far[..., None], ramp(fbm(width, height, 30, rng, 3), (-1, "#4a6da0"), (1, "#8fb08f")), target)
    river = (y > 0.44) & (y < 0.80 - 0.42 * smooth(0.30, 1.35, 1.38 - x) + 0.03 * np.sin(9 * x))
    flow = fbm(width, height, (120, 8), rng, 3)
    water = ramp(y + 0.05 * flow, (0.42, "#f3d3a8"), (0.52, "#9fc3df"), (0.66, "#4f86c4"), (0.8, "#2f5fa8"))
    water = mix(water, rgb("#fff3cf"), np.exp(-(((x - 0.92) / 0.10) ** 2)) * smooth(0.0, 0.9, flow))
    target = np.where(river[..., None], water, target)
    bank = (y > 0.44) & ~river
    grass = ramp(
        fbm(width, height, (60, 20), rng, 4) - 2.2 * (y - 0.75),
        (-1.2, "#1f5a3c"),
        (-0.2, "#4f9a3f"),
        (0.6, "#a3b948"),
        (1.5, "#e0cf6a"),
    )
    target = np.where(bank[..., None], grass, target)
    shade = smooth(0.5, 1.2, fbm(width, height, (130, 30), rng, 3) + 1.6 * smooth(0.66, 0.9, y) * smooth(0.9, 0.3, x))
    target = mix(target, rgb("#26407c"), 0.75 * shade * bank)
    for cx, cy, r, trunk in [
        (0.13, 0.23, 0.21, 0.80),
        (0.40, 0.30, 0.11, 0.64),
        (0.56, 0.355, 0.06, 0.50),
        (1.27, 0.33, 0.09, 0.47),
    ]:
        wobble = 0.22 * noise(width, height, r * height * 0.45, rng) + 0.1 * noise(
            width, height, r * height * 0.15, rng
        )
        stem = (np.abs(x - cx - 0.1 * r * np.sin(9 * y)) < 0.055 * r) & (y > cy) & (y < trunk)
        target = np.where(stem[..., None], mix(rgb("#3a2a5c"), rgb("#c8743c"), smooth(0, 0.05 * r, cx - x)), target)
        d = np.hypot((x - cx) / r, (y - cy) / (0.95 * r)) + wobble
        light = (
            0.5
            - 0.45 * (x - cx) / r
            - 0.45 * (y - cy) / r
            + 0.34 * noise(width, height, r * height * 0.16, rng)
            + 0.2 * noise(width, height, 7, rng)
        )
        crown = ramp(light, (-0.2, "#16305e"), (0.2, "#1f6048"), (0.5, "#4f8f3e"), (0.8, "#9fb548"), (1.1, "#e3d27c"))
        target = np.where((d < 1)[..., None], crown, target)
    for cx, base, s, sail in [
        (0.86, 0.535, 0.10, "#fff4e2"),
        (1.05, 0.485, 0.055, "#ffd9b0"),
        (0.70, 0.475, 0.04, "#ffffff"),
    ]:
        up = (base - y) / s
        lee = (up > 0.1) & (up < 1.5) & (x > cx - 0.02 * s) & (x - cx < 0.55 * s * (1.5 - up) / 1.4)
        luff = (up > 0.1) & (up < 1.2) & (x < cx - 0.06 * s) & (cx - x < 0.38 * s * (1.2 - up) / 1.1)
        hull = (up > -0.1) & (up < 0.12) & (np.abs(x - cx) < 0.5 * s * (0.8 + up))
        glint = (up < -0.1) & (up > -1.1) & (np.abs(x - cx + 0.03 * flow * s) < 0.3 * s * (1.2 + up))
        for mask, colour in ((glint, "#e9d9d0"), (lee, sail), (luff, "#f2c9a8"), (hull, "#a03a2c")):
            target = np.where(
                mask[..., None], mix(target, rgb(colour), 0.55 + 0 * x) if colour == "#e9d9d0" else rgb(colour), target
            )
    for cx, foot, s in [(0.47, 0.77, 0.17), (0.56, 0.76, 0.15), (0.29, 0.67, 0.095), (0.69, 0.93, 0.21)]:
        _draw_walker(target, x - cx, (foot - y) / s, s)
    return picture_of(_dots(target, rng), width, height)


def _draw_walker(target: Array, sideways: Array, up: Array, s: float) -> None:
    """Draw a person with a parasol, `s` picture heights tall, and a blue shadow into `target`."""
    u = sideways / s
    skirt = (up > 0) & (up < 0.52) & (np.abs(u) < 0.20 - 0.24 * up + 0.10 * (1 - up) ** 6)
    waist = (up >= 0.50) & (up < 0.78) & (np.abs(u) < 0.055 + 0.12 * (up - 0.5))
    head = np.hypot(u, up - 0.85) < 0.062
    shade = np.hypot((u - 0.04) / 0.31, (up - 0.95) / 0.28)
    parasol = (shade < 1) & (up > 0.94 + 0.03 * np.cos(22 * u))
    stick = (np.abs(u - 0.04 - 0.03 * (1 - up)) < 0.012) & (up > 0.55) & (up < 1.1)
    ground = np.hypot((u - 0.42) / 0.45, up / 0.05) < 1
    light = smooth(0.12, -0.12, u)
    for mask, dark, pale in (
        (ground, "#22336e", "#2f4f7a"),
        (skirt, "#2a2a6a", "#c2557f" if s > 0.14 else "#e9c9b0"),
        (waist, "#1f2350", "#8f3a5f" if s > 0.14 else "#c99a8a"),
        (head, "#6a3a2a", "#f0b890"),
        (stick, "#2a1a30", "#4a2a3a"),
        (parasol, "#d9825a", "#fff2d6"),
    ):
        target[mask] = mix(rgb(dark), rgb(pale), light[..., None])[mask]


def _dots(target: Array, rng: Rng) -> Array:
    """[H,W,3] `target` in dots: saturated variations of each color, a few in its complement."""
    height, width = target.shape[:2]
    scale = 3
    canvas = Image.new("RGB", (width * scale, height * scale), "#efe3cc")
    draw = ImageDraw.Draw(canvas)
    for spacing, radius, share in ((5.2, 3.4, 1.0), (3.9, 2.1, 1.0), (4.6, 1.7, 0.8)):
        points = seeds(width, height, spacing, rng)
        points = points[rng.random(len(points)) < share]
        colour = at(target, points + rng.normal(0, 1.2, points.shape).astype(np.float32))
        grey = colour.mean(-1, keepdims=True)
        pure = grey + (colour - grey) * rng.uniform(0.9, 1.7, (len(points), 1)) + rng.normal(0, 0.075, colour.shape)
        pure += rng.normal(0, 0.06, (len(points), 1))
        opposite = rng.random(len(points)) < 0.07
        pure[opposite] = (grey + (grey - colour) * 1.3 + 0.1)[opposite]
        fill = np.clip(pure * 255, 0, 255).astype(int).tolist()
        r = radius * rng.uniform(0.75, 1.2, len(points)) * scale
        boxes = np.concatenate(
            [points * scale - r[:, None], points * scale + r[:, None] * rng.uniform(0.8, 1.1, (len(points), 2))], 1
        )
        for box, colour_ in zip(boxes.tolist(), fill, strict=True):
            draw.ellipse(box, tuple(colour_))
    return pixels_of(canvas.reduce(scale))
