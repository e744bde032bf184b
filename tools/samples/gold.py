"""A style picture in gold leaf and enamel: a tree of spirals."""

import numpy as np
from PIL import Image, ImageDraw

from tools.samples.canvas import Array, Rng, blur, fbm, normals, picture_of, pixels_of, plane, rgb, vec
from tools.samples.strokes import across, seeds


def golden_tree() -> Image.Image:
    """Draw a tree of spirals in gold leaf over a meadow of enamel tiles."""
    rng, (width, height), scale = np.random.default_rng(4), (704, 768), 2
    x, y = plane(width, height)
    canvas = Image.new("RGBA", (width * scale, height * scale), (116, 82, 26, 60))
    _draw_gold_leaf(canvas, rng, scale)
    draw = ImageDraw.Draw(canvas)
    _draw_meadow(draw, width, height, rng, scale)
    _draw_branches(draw, width, height, rng, scale)
    leaf = pixels_of(canvas.reduce(scale))
    relief = leaf[..., 3] * 4 + 0.5 * fbm(width, height, 9, rng, 4) + 0.3 * fbm(width, height, (2.5, 12), rng, 2)
    n = normals(blur(relief, 0.7))
    light = np.clip(n @ vec(-0.5, -0.55, 0.67) / 0.67, 0.35, 1.6)
    glint = np.clip(n @ vec(-0.26, -0.30, 0.92), 0, 1) ** 30
    patina = 1 + 0.10 * fbm(width, height, 90, rng, 5) + 0.05 * fbm(width, height, 4, rng, 2)
    centre = 1.1 - 0.35 * ((x - 0.46) ** 2 + (y - 0.4) ** 2)
    out = leaf[..., :3] * (light * patina * centre)[..., None] + 0.16 * (glint - 0.08)[..., None] * rgb("#ffe9a8")
    return picture_of(out, width, height)


GOLDS = ["#b98a2c", "#c99b38", "#d6ab48", "#a87724", "#e0bb5e", "#95691f", "#cfa03a"]
ENAMELS = ["#1d4f8c", "#2a7f86", "#b5332b", "#e07b2a", "#5a2d6e", "#3f7d3c", "#e9d9a8", "#101a2e", "#c9577a"]


def _fill(colour: str, height: float, rng: Rng, jitter: float = 0.05) -> tuple[int, ...]:
    """RGBA near `colour`; alpha is the height of the relief."""
    tone = np.clip(rgb(colour) * (1 + rng.normal(0, jitter)) + rng.normal(0, 0.012, 3), 0, 1) * 255
    return (*tone.astype(int).tolist(), int(height * 255))


def _draw_gold_leaf(canvas: Image.Image, rng: Rng, scale: int) -> None:
    """Draw small squares of gold leaf with rings and small spirals on them."""
    draw, (w, h) = ImageDraw.Draw(canvas), canvas.size
    side = 11 * scale
    for top in range(0, h, side):
        for left in range(0, w, side):
            dx, dy = rng.integers(-2, 3, 2)
            box = (left + dx, top + dy, left + dx + side, top + dy + side)
            draw.rectangle(box, _fill(GOLDS[rng.integers(len(GOLDS))], rng.uniform(0.25, 0.45), rng, 0.06))
    for px, py in seeds(w, h, 30 * scale, rng):
        r = rng.uniform(3, 11) * scale
        kind = rng.integers(4)
        if kind == 0:
            draw.ellipse((px - r, py - r, px + r, py + r), _fill("#7c5518", 0.3, rng))
            r *= 0.72
            draw.ellipse((px - r, py - r, px + r, py + r), _fill("#e9c970", 0.7, rng))
            r *= 0.4
            draw.ellipse((px - r, py - r, px + r, py + r), _fill("#4a3212", 0.4, rng))
        else:
            a = np.linspace(0, rng.choice([-1, 1]) * 4.6 * np.pi, 46) + rng.uniform(0, 6)
            reach = np.linspace(0.1, 1.35, 46) * r
            points = np.stack([px + reach * np.cos(a), py + reach * np.sin(a)], -1)
            draw.line(
                points.ravel().tolist(), _fill("#f0d27c" if kind == 1 else "#8a6120", 0.6, rng), 2 * scale, "curve"
            )


def _draw_meadow(draw: ImageDraw.ImageDraw, width: int, height: int, rng: Rng, scale: int) -> None:
    """Draw enamel tiles, triangles and flowers along the lower edge."""
    for px, py in sorted(seeds(width, height, 12, rng).tolist(), key=lambda p: p[1]):
        edge = height * (0.80 + 0.03 * np.sin(px / 70) + 0.05 * np.cos(px / 190 + 2))
        if py < edge or (py < edge + 30 and rng.random() < 0.4):
            continue
        X, Y, s = px * scale, py * scale, rng.uniform(5, 9) * scale
        colour = ENAMELS[int(rng.integers(len(ENAMELS)))] if rng.random() < 0.75 else GOLDS[int(rng.integers(7))]
        kind = rng.integers(4)
        if kind == 0:
            draw.polygon([(X - s, Y + s), (X + s, Y + s), (X, Y - s * 1.3)], _fill(colour, 0.6, rng))
        elif kind == 1:
            draw.rectangle((X - s, Y - s, X + s, Y + s * 0.9), _fill(colour, 0.55, rng))
            draw.rectangle((X - s / 2, Y - s / 2, X + s / 2, Y + s / 2), _fill("#e5bf5c", 0.75, rng))
        else:
            draw.ellipse((X - s, Y - s, X + s, Y + s), _fill(colour, 0.6, rng))
            for k in range(7):
                a, r = k * 2 * np.pi / 7, s * 0.62
                fx, fy, f = X + r * np.cos(a), Y + r * np.sin(a), s * 0.26
                draw.ellipse((fx - f, fy - f, fx + f, fy + f), _fill("#f2e2b0" if kind == 2 else "#f0a93c", 0.8, rng))
            f = s * 0.28
            draw.ellipse((X - f, Y - f, X + f, Y + f), _fill("#d9472b" if kind == 2 else "#1c2f6b", 0.9, rng))


def _draw_branches(draw: ImageDraw.ImageDraw, width: int, height: int, rng: Rng, scale: int) -> None:
    """Draw the trunk and its spiral branches: outline, inlaid dots, an eye at each end."""
    ribbons: list[tuple[Array, Array]] = []

    def grow(px: float, py: float, heading: float, length: float, girth: float, turn: float, depth: int) -> None:
        """Add a branch whose curvature grows along its length, and branches on its outer side."""
        s = np.linspace(0, 1, 70)
        bend = heading + turn * (0.35 * s + 5.2 * s**2.6)
        step = length / 70 * (1.15 - 0.55 * s)
        path = np.stack([px + np.cumsum(step * np.cos(bend)), py + np.cumsum(step * np.sin(bend))], -1)
        ribbons.append((path, girth * (1 - 0.72 * s)))
        if depth:
            for where in (0.16, 0.34, 0.50):
                k = int((where + rng.uniform(-0.04, 0.04)) * 70)
                side = -turn * rng.uniform(0.9, 1.15)
                grow(
                    path[k, 0],
                    path[k, 1],
                    bend[k] - 0.75 * np.sign(turn),
                    length * rng.uniform(0.50, 0.64),
                    girth * 0.58,
                    side,
                    depth - 1,
                )

    foot = np.linspace(0, 1, 60)
    trunk = np.stack([width * (0.5 + 0.03 * np.sin(4 * foot)), height * (1.0 - 0.44 * foot)], -1)
    ribbons.append((trunk, 30 * (1 - 0.45 * foot) + 26 * (1 - foot) ** 5))
    top = trunk[-1]
    for heading, length, turn in (
        (-2.55, 560, 1.0),
        (-0.60, 560, -1.0),
        (-2.0, 480, -1.05),
        (-1.1, 480, 1.05),
        (-2.95, 430, 1.15),
        (-0.2, 430, -1.15),
    ):
        grow(top[0], top[1] + 12 * abs(np.cos(heading)), heading, length, 13, turn, 2)
    for grow_by, colour, tall in ((3.0, "#2a1a0c", 0.35), (0.4, "#8a5a22", 0.75), (-3.0, "#c88f38", 0.95)):
        for path, girth in ribbons:
            half = np.maximum(girth + grow_by, 1.0 if grow_by < 0 else 1.6)
            side = across(path[None])[0] * half[:, None]
            outline = np.concatenate([path + side, (path - side)[::-1]]) * scale
            draw.polygon(outline.ravel().tolist(), _fill(colour, tall, rng))
    for path, girth in ribbons:
        for k in range(3, len(path), 5):
            X, Y = path[k] * scale
            f = max(1.2, girth[k] * 0.30) * scale
            colour = ("#3a2410", "#f0d68a", "#1d4f8c", "#b5332b")[k // 5 % (4 if girth[k] > 6 else 2)]
            draw.ellipse((X - f, Y - f, X + f, Y + f), _fill(colour, 0.8, rng))
        X, Y = path[-1] * scale
        for f, colour in ((7, "#2a1a0c"), (5.5, "#f3e3b0"), (3.6, ENAMELS[int(rng.integers(5))]), (1.6, "#140d06")):
            draw.ellipse(
                (X - f * scale, Y - f * scale, X + f * scale, Y + f * scale), _fill(colour, 0.5 + 0.05 * f, rng)
            )
