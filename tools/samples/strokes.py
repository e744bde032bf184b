"""Brush strokes along a field of angles, with the height of the paint."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from tools.samples.canvas import Array, Rng, blur, fbm, noise, normals, pixels_of, rgb, vec

SCALE = 2  # strokes are drawn this many times larger than the picture


@dataclass(frozen=True)
class Brush:
    """A layer of strokes; lengths in pixels of the picture."""

    width: float
    length: float
    spacing: float  # between the starts of neighbouring strokes
    light: float = 0.06  # jitter of lightness from stroke to stroke
    hue: float = 0.03  # jitter of each colour channel
    bristles: int = 4
    taper: float = 0.6  # 0: blunt ends, 1: pointed ones
    wander: float = 0.12  # jitter of the angle, in radians


def seeds(width: int, height: int, spacing: float, rng: Rng) -> Array:
    """[N,2] points (x, y), a shuffled and jittered grid that covers the picture and a rim around it."""
    xs, ys = np.meshgrid(np.arange(-spacing, width + spacing, spacing), np.arange(-spacing, height + spacing, spacing))
    points = np.stack([xs.ravel(), ys.ravel()], -1) + rng.uniform(-0.6, 0.6, (xs.size, 2)) * spacing
    return rng.permutation(points).astype(np.float32)


def at(a: Array, points: Array) -> Array:
    """`a` at the nearest pixel of each point [...,2]."""
    x = np.clip(points[..., 0], 0, a.shape[1] - 1).astype(np.int32)
    return a[np.clip(points[..., 1], 0, a.shape[0] - 1).astype(np.int32), x]


def streamlines(
    points: Array, angle: Array, length: Array | float, steps: int = 8, wander: Array | float = 0.0
) -> Array:
    """[N,steps+1,2]: paths through `points` along the angles [H,W] (radians, y down), `length` pixels long."""
    stride = np.broadcast_to(np.asarray(length, np.float32) / steps, len(points))[:, None]
    halves = []
    for sign in (1, -1):
        path = [points]
        for _ in range(steps // 2):
            a = at(angle, path[-1]) + wander
            path.append(path[-1] + sign * stride * np.stack([np.cos(a), np.sin(a)], -1))
        halves.append(path)
    return np.stack([*reversed(halves[1][1:]), *halves[0]], 1)


def across(paths: Array) -> Array:
    """[N,P,2] unit vectors to the left of the paths."""
    d = np.gradient(paths, axis=1)
    d /= np.linalg.norm(d, axis=-1, keepdims=True) + 1e-6
    return np.stack([-d[..., 1], d[..., 0]], -1)


def paint(
    target: Array,
    angle: Array,
    brushes: tuple[Brush, ...],
    rng: Rng,
    ground: str = "#3a2f28",
    where: Array | None = None,
) -> Array:
    """Oil paint: [H,W,4], the colours of `target` [H,W,3] brushed along `angle` [H,W], and the height of the paint.

    `where` [H,W] in 0..1 is the chance of a stroke of the last brush, by default 1.
    """
    height, width = angle.shape
    canvas = Image.new("RGBA", (width * SCALE, height * SCALE), (*(int(v * 255) for v in rgb(ground)), 60))
    draw = ImageDraw.Draw(canvas)  # on RGBA it replaces, alpha included, so alpha can be the paint's height
    for brush in brushes:
        points = seeds(width, height, brush.spacing, rng)
        if where is not None and brush is brushes[-1]:
            points = points[rng.random(len(points)) < at(where, points)]
        n = len(points)
        wander = rng.normal(0, brush.wander, n)
        paths = streamlines(points, angle, brush.length * rng.uniform(0.6, 1.25, n), wander=wander)
        colours = at(target, points) + rng.normal(0, brush.light, (n, 1)) + rng.normal(0, brush.hue, (n, 3))
        for polygon, colour in _ribbons(paths, colours, brush, rng):
            draw.polygon(polygon, colour)
    return pixels_of(canvas.reduce(SCALE))


def _ribbons(paths: Array, colours: Array, brush: Brush, rng: Rng) -> Iterator[tuple[list[float], tuple[int, ...]]]:
    """The bristle tracks of each stroke side by side: (outline, color and height), in drawing order."""
    n, p, _ = paths.shape
    left = across(paths)
    profile = np.sin(np.linspace(0.25, np.pi - 0.12, p)) ** brush.taper * brush.width / 2
    half = profile * rng.uniform(0.75, 1.2, (n, 1))
    edges = np.linspace(-1, 1, brush.bristles + 1)
    tint = colours[:, None] + rng.normal(0, 0.035, (n, brush.bristles, 1))
    load = 150 + 55 * np.sin(np.linspace(0.5, np.pi - 0.5, brush.bristles)) + rng.normal(0, 28, (n, brush.bristles))
    values = np.clip(np.concatenate([tint * 255, load[..., None]], -1), 0, 255).astype(int)
    outlines = []
    for k in range(brush.bristles):
        a = (paths + left * (half * edges[k])[..., None]) * SCALE
        b = (paths + left * (half * edges[k + 1])[..., None]) * SCALE
        outlines.append(np.concatenate([a, b[:, ::-1]], 1).reshape(n, -1))
    for i in range(n):
        for k in range(brush.bristles):
            yield outlines[k][i].tolist(), tuple(values[i, k].tolist())


def lit(painted: Array, rng: Rng, relief: float = 7.0, weave: float = 0.12) -> Array:
    """[H,W,3] paint [H,W,4] (color, height) on woven canvas, lit from the upper left."""
    height, width = painted.shape[:2]
    thickness = painted[..., 3] * relief + linen(width, height, rng) * weave
    n = normals(blur(thickness, 0.6))
    light = n @ vec(-0.5, -0.6, 0.62) / 0.62
    shine = np.clip(n @ vec(-0.3, -0.38, 0.875), 0, 1) ** 40
    flat = 0.875**40
    return painted[..., :3] * np.clip(light, 0.45, 1.5)[..., None] ** 0.8 + 0.10 * (shine - flat)[..., None]


def linen(width: int, height: int, rng: Rng) -> Array:
    """[H,W] height of a woven cloth, about unit variance."""
    warp = noise(width, height, (2.5, 60), rng)
    return (warp + noise(width, height, (60, 2.5), rng) + 0.6 * fbm(width, height, 5, rng, 2)) / 1.6
