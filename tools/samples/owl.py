"""A content picture: an owl, painted feather by feather, before a blurred wood."""

import numpy as np
from PIL import Image

from tools.samples.canvas import (
    Array,
    Rng,
    blur,
    fbm,
    linear,
    mix,
    noise,
    normals,
    picture_of,
    plane,
    ramp,
    rgb,
    smooth,
    tone_map,
    vec,
)
from tools.samples.strokes import Brush, paint

EYES = ((0.272, 0.372), (0.478, 0.372))
EYE, DISC, BEAK = 0.056, 0.150, (0.375, 0.470)


def owl() -> Image.Image:
    """Draw an owl from the front: amber eyes in discs of radial feathers, a barred breast."""
    rng, (width, height) = np.random.default_rng(17), (576, 768)
    x, y = plane(width, height)
    outline, relief = _shape(x, y)
    plumage, angle = _plumage(x, y, rng)
    wood = _wood(x, y, rng)
    brushes = (
        Brush(9, 30, 6, light=0.03, hue=0.012, wander=0.18),
        Brush(4.5, 24, 3.6, light=0.05, hue=0.014, bristles=3, taper=0.9, wander=0.16),
        Brush(2.2, 17, 2.6, light=0.075, hue=0.014, bristles=2, taper=1.0, wander=0.20),
    )
    near = smooth(-0.04, -0.02, outline)
    feathers = paint(plumage, angle, brushes, rng, "#20160f", near)
    fluff = 0.004 * noise(width, height, 5, rng) + 0.006 * noise(width, height, 16, rng)
    bird = smooth(-0.012, 0.004, outline + fluff)
    n = normals(blur(relief * height, 6) * 1.5 + 1.6 * feathers[..., 3])
    key = np.clip(n @ vec(-0.62, -0.50, 0.60), 0, 1)
    rim = np.clip(n @ vec(0.90, -0.25, 0.15), 0, 1) ** 2
    hollow = np.clip(1 - 1.9 * np.maximum(blur(relief, 22) - relief, 0) / 0.05, 0.25, 1)
    light = key[..., None] * vec(2.2, 1.86, 1.42) * hollow[..., None] + rim[..., None] * vec(0.42, 0.62, 0.72)
    light += (0.22 * hollow)[..., None] * vec(0.75, 0.95, 1.1)
    view = mix(linear(wood), linear(np.clip(feathers[..., :3], 0, 1)) * light, bird)
    view = _with_beak(view, x, y)
    for ex, ey in EYES:
        view = _with_eye(view, x - ex, y - ey, rng)
    return picture_of(tone_map(view * 1.05, rng, 0.45), width, height)


def _shape(x: Array, y: Array) -> tuple[Array, Array]:
    """(Signed distance [H,W], positive inside, height [H,W] towards the viewer), in picture heights."""
    u = np.abs(x - 0.375)
    head = 1 - np.sqrt((u / 0.262) ** 2 + (np.abs(y - 0.375) / 0.235) ** 2.2)
    body = 1 - np.sqrt((u / 0.315) ** 2.4 + ((y - 0.95) / 0.48) ** 2)
    tuft = (
        0.055 - np.abs(u - 0.160 - 0.24 * (0.22 - y)) - 0.42 * np.maximum(0.23 - y, 0) - 0.3 * np.maximum(y - 0.26, 0)
    )
    outline = np.maximum(np.maximum(0.24 * head, 0.30 * body), tuft)
    ball = np.sqrt(np.clip(head * (2 - head), 0, 1)) * 0.20
    chest = np.sqrt(np.clip(body * (2 - body), 0, 1)) * 0.24 - 0.09
    relief = np.maximum(np.maximum(ball, chest), np.clip(tuft, 0, 0.04) * 1.2 + 0.06 * (tuft > 0))
    for ex, ey in EYES:
        d = np.hypot(x - ex, y - ey) / DISC
        relief = relief - 0.045 * np.exp(-((d / 0.75) ** 2)) + 0.018 * np.exp(-(((d - 1.02) / 0.16) ** 2)) * (y < 0.62)
    brow = np.exp(-(((y - 0.335 + 0.50 * (u - 0.06)) / 0.022) ** 2)) * smooth(0.0, 0.03, u) * smooth(0.23, 0.17, u)
    return outline, relief + 0.028 * brow + 0.03 * np.exp(-((u / 0.035) ** 2) - ((y - 0.43) / 0.07) ** 2)


def _plumage(x: Array, y: Array, rng: Rng) -> tuple[Array, Array]:
    """(Colors [H,W,3] of the feathers, their angles [H,W] in radians)."""
    height, width = x.shape
    u, side = np.abs(x - 0.375), np.sign(x - 0.375)
    patch, fleck = fbm(width, height, 50, rng, 4), fbm(width, height, (7, 16), rng, 3)
    angle = np.pi / 2 - side * u * 1.1 * smooth(0.4, 1.0, y) + 0.15 * patch
    crown = np.arctan2(y - 0.56, x - 0.375)
    angle = np.where(y < 0.56, crown, angle)
    row = 30 * (y + 0.10 * u + 0.010 * patch)
    bars = smooth(0.1, 0.8, np.sin(2 * np.pi * row) + 0.5 * fleck)
    colour = ramp(0.5 + 0.22 * patch + 0.2 * fleck, (0, "#3a2415"), (0.4, "#7a5230"), (0.7, "#ad8050"), (1, "#d6b384"))
    breast = mix(rgb("#e6d3ae"), rgb("#c79a62"), smooth(-0.8, 1.2, patch))
    breast = mix(breast, rgb("#553620"), 0.75 * bars)
    streak = smooth(0.75, 1.35, fbm(width, height, (15, 90), rng, 2)) * smooth(0.62, 0.72, y)
    breast = mix(breast, rgb("#2a180e"), 0.9 * streak)
    colour = mix(colour, breast, smooth(0.25, 0.15, u + 0.02 * patch) * smooth(0.58, 0.68, y))
    bib = np.exp(-((u / 0.12) ** 2) - ((y - 0.615) / 0.035) ** 2)
    colour = mix(colour, rgb("#f6ecd8"), 0.9 * bib)
    colour = mix(
        colour, rgb("#241710"), 0.8 * smooth(0.3, 1.2, fbm(width, height, (16, 30), rng, 3)) * smooth(0.30, 0.15, y)
    )
    for ex, ey in EYES:
        dx, dy = x - ex, y - ey
        d = np.hypot(dx, dy * 0.94) / DISC
        inner = smooth(0.42, 0.34, d)
        veil = ramp(
            d + 0.05 * fleck,
            (0.38, "#2a1a10"),
            (0.50, "#b98a58"),
            (0.68, "#d8b483"),
            (0.86, "#a8733c"),
            (0.97, "#2c1a10"),
        )
        veil = mix(
            veil,
            rgb("#f0e4cc"),
            0.85 * np.exp(-(((np.arctan2(dy, -dx * np.sign(ex - 0.375)) - 0.4) / 0.7) ** 2)) * smooth(0.9, 0.6, d),
        )
        veil = mix(veil, rgb("#1a100a"), inner)
        within = smooth(1.08, 0.98, d) * (side == np.sign(ex - 0.375))
        colour, angle = mix(colour, veil, within), np.where(within > 0.5, np.arctan2(dy, dx), angle)
    brow = np.exp(-(((y - 0.315 + 0.52 * (u - 0.06)) / 0.026) ** 2)) * smooth(0.0, 0.02, u) * smooth(0.24, 0.15, u)
    colour = mix(colour, rgb("#f3e8d2"), 0.92 * brow)
    angle = np.where(brow > 0.4, np.where(side > 0, -0.55, np.pi + 0.55), angle)
    whisker = np.exp(-((u / 0.052) ** 2) - ((y - 0.43) / 0.085) ** 2)
    colour = mix(colour, rgb("#efe3cc"), 0.9 * smooth(0.25, 0.7, whisker))
    return colour, np.where(whisker > 0.4, np.arctan2(y - 0.38, (x - 0.375) * 2.2), angle)


def _with_eye(view: Array, dx: Array, dy: Array, rng: Rng) -> Array:
    """`view` with an eye: amber iris, pupil, lid, the sky's reflection in the cornea."""
    d, a = np.hypot(dx, dy) / EYE, np.arctan2(dy, dx)
    fibres = 0.5 + 0.5 * np.sin(46 * a + 5 * fbm(d.shape[1], d.shape[0], 30, rng, 3))
    iris = linear(
        ramp(
            d + 0.05 * fibres,
            (0.44, "#5a2400"),
            (0.54, "#e08a0c"),
            (0.74, "#ffc224"),
            (0.90, "#d9780c"),
            (1.0, "#3a1a06"),
        )
    )
    iris *= (0.72 + 0.45 * fibres * smooth(0.45, 0.6, d))[..., None]
    iris = mix(iris, vec(0.004, 0.004, 0.005), smooth(0.50, 0.45, d))
    iris *= (1.35 - 0.95 * smooth(0.25, -1.0, dy / EYE) - 0.15 * d**2)[..., None]
    iris += (0.30 * np.exp(-(((d - 0.70) / 0.15) ** 2)) * smooth(-0.2, 0.9, (dx + dy) / EYE))[..., None] * vec(
        1, 0.62, 0.12
    )
    window = smooth(1.0, 0.75, np.hypot((dx + 0.36 * EYE) / (0.20 * EYE), (dy + 0.36 * EYE) / (0.17 * EYE)))
    spark = smooth(1.0, 0.6, np.hypot((dx - 0.34 * EYE) / (0.08 * EYE), (dy - 0.36 * EYE) / (0.08 * EYE)))
    iris += (2.4 * window + 0.5 * spark)[..., None] * vec(0.92, 1.0, 1.08)
    lid = mix(vec(0.012, 0.009, 0.007), iris, smooth(1.03, 0.98, d))
    return mix(view, lid, smooth(1.14, 1.08, d))


def _with_beak(view: Array, x: Array, y: Array) -> Array:
    """`view` with a gray hooked beak, lit from the left."""
    bx, by = BEAK
    t = np.clip((y - by + 0.062) / 0.125, 0, 1)
    half = 0.0275 * np.sqrt(np.clip(1 - t**2.2, 0, 1)) * (0.55 + 0.45 * smooth(0, 0.3, t)) + 1e-5
    q = (x - bx) / half
    inside = smooth(1.05, 0.9, np.abs(q)) * smooth(0.0, 0.06, t) * smooth(1.0, 0.985, t)
    tone = np.clip(0.55 - 0.42 * q - 0.25 * t, 0.03, 1) ** 1.3
    horn = linear(ramp(tone, (0, "#0c0b0c"), (0.5, "#4a443e"), (1, "#8f8678")))
    horn += (1.3 * np.exp(-(((q + 0.42) / 0.14) ** 2) - ((t - 0.42) / 0.26) ** 2))[..., None] * vec(0.9, 0.95, 1)
    under = np.exp(-(((x - bx) / 0.045) ** 2) - ((y - by - 0.075) / 0.022) ** 2)
    return mix(view * (1 - 0.55 * under)[..., None], horn, inside)


def _wood(x: Array, y: Array, rng: Rng) -> Array:
    """[H,W,3] a wood out of focus: soft greens and bokeh discs."""
    height, width = x.shape
    out = ramp(
        0.5 + 0.28 * fbm(width, height, 260, rng, 2) - 0.45 * (y - 0.4),
        (0, "#0a1410"),
        (0.4, "#1c3326"),
        (0.75, "#4a6238"),
        (1, "#93a052"),
    )
    for _ in range(70):
        cx, cy, r = rng.uniform(0, 0.75), rng.beta(1.2, 2.2), rng.uniform(0.015, 0.05)
        d = np.hypot(x - cx, y - cy) / r
        disc = smooth(1.0, 0.88, d) * (0.75 + 0.25 * smooth(0.6, 0.95, d)) * rng.uniform(0.06, 0.34)
        out = mix(out, rgb(("#f6e7a0", "#b9d27a", "#ffd98a", "#8fc0a0")[rng.integers(4)]), disc)
    return out
