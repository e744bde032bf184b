"""Style pictures in cells: stained glass (Voronoi cells) and a cubist still life (recursive cuts)."""

import numpy as np
from PIL import Image

from tools.samples.canvas import (
    Array,
    Rng,
    blur,
    fbm,
    mix,
    noise,
    normals,
    picture_of,
    plane,
    ramp,
    rgb,
    sample,
    smooth,
    vec,
)
from tools.samples.strokes import Brush, lit, paint


def rose_window() -> Image.Image:
    """Draw a rose window against evening light: panes of streaked glass between black leads."""
    rng, (width, height) = np.random.default_rng(8), (768, 768)
    x, y = plane(width, height)
    x, y = x - 0.5, y - 0.5
    jewels = [
        ["#ffd23f"],
        ["#ff8f1f", "#e8262a"],
        ["#c4122f", "#5a1a8c"],
        ["#1238b8", "#0f7fd0"],
        ["#f0b429", "#1446c8"],
        ["#0b8f6a", "#1034a0"],
        ["#d81e5b", "#2a1aa0"],
        ["#1a5fd8", "#12a5b8"],
        ["#e8a21c", "#b0122a"],
        ["#10329a", "#5420a0"],
        ["#0a7a72", "#1c49b8"],
    ]
    rings = [
        (0.0, 1, 0),
        (0.062, 6, 0.5),
        (0.115, 12, 0),
        (0.17, 12, 0.5),
        (0.222, 24, 0.25),
        (0.272, 24, 0.75),
        (0.325, 12, 0),
        (0.352, 24, 0.5),
        (0.405, 36, 0.5),
        (0.452, 48, 0),
        (0.505, 48, 0.5),
    ]
    sites, colours = [], []
    for (radius, count, offset), palette in zip(rings, jewels, strict=True):
        for k in range(count):
            a = 2 * np.pi * (k + offset) / count
            sites.append((radius * np.cos(a), radius * np.sin(a)))
            colours.append(rgb(palette[k % len(palette)]))
    corners = rng.uniform(-0.5, 0.5, (400, 2))
    for px, py in corners[np.hypot(*corners.T) > 0.545]:
        if px < 0 and py < 0 and all(np.hypot(px - sx, py - sy) > 0.042 for sx, sy in sites):
            for mx, my in ((px, py), (-px, py), (px, -py), (-px, -py)):
                sites.append((mx, my))
                colours.append(rgb(("#16348f", "#0d6b8f", "#7a1450", "#c48a1a")[len(sites) // 4 % 4]))
    first, second = np.full((2, height, width), 9, np.float32)  # squared distances to the two nearest sites
    cell = np.zeros((height, width), np.int32)
    for k, (sx, sy) in enumerate(sites):
        d = (x - np.float32(sx)) ** 2 + (y - np.float32(sy)) ** 2
        second = np.minimum(second, np.maximum(first, d))
        cell = np.where(d < first, k, cell)
        first = np.minimum(first, d)
    seam = np.sqrt(second) - np.sqrt(first)
    r = np.hypot(x, y)
    for radius in (0.088, 0.196, 0.298, 0.43, 0.532):
        seam = np.minimum(seam, np.abs(r - radius) * 1.3)
    glass = np.array(colours)[cell] ** 2.4
    tint = rng.normal(0, 1, (len(sites), 3))[cell]
    # Streaks have another direction in each pane, as in blown glass.
    turn = rng.uniform(0, np.pi, len(sites))[cell]
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    streaks = fbm(width, height, (70, 7), rng, 4)
    streak = sample(streaks, (u + 0.5) * width % (width - 2), (v + 0.5) * height % (height - 2))
    bubbles = np.clip(fbm(width, height, 5, rng, 2) - 1.5, 0, 1)
    bright = 1.0 + 0.26 * streak + 0.16 * tint[..., 0] + 0.9 * bubbles + 0.22 * fbm(width, height, 60, rng, 3)
    glow = 1.5 * np.exp(-((r / 0.30) ** 2)) + 0.75 + 0.25 * np.exp(-(((x - 0.15) ** 2 + (y + 0.2) ** 2) / 0.05))
    light = glass * (np.clip(bright, 0.25, 2.2) * glow)[..., None] * (1 + 0.10 * tint)
    light += 0.05 * np.clip(bright * glow - 1, 0, 1)[..., None]
    light *= (0.42 + 0.58 * smooth(0.0, 0.022, seam - 0.006))[..., None]
    wobble = 0.0011 * fbm(width, height, 30, rng, 3)
    lead = smooth(0.0085, 0.0062, seam + wobble)
    bead = normals(blur(smooth(0.010, 0.0, seam + wobble) * 5 + 0.35 * fbm(width, height, 4, rng, 2), 1))
    metal = 0.006 + 0.07 * np.clip(bead @ vec(-0.6, -0.6, 0.53), 0, 1) ** 2
    light = mix(light, metal[..., None] * rgb("#c8ccd8"), lead)
    light += 0.10 * blur(light, 4) + 0.07 * blur(light, 20)
    return picture_of((1 - np.exp(-1.25 * light)) ** (1 / 1.9), width, height)


def guitar_planes() -> Image.Image:
    """Draw a guitar, a bottle and fruit cut into planes, each shifted, turned and scaled by itself."""
    rng, (width, height) = np.random.default_rng(19), (640, 768)
    subject = _guitar_table(width, height, rng)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    cell = np.zeros((height, width), np.int32)
    shade = np.zeros((height, width), np.float32)
    edge = np.full((height, width), 99, np.float32)
    directions = [0.35, -0.55, 1.15, 1.75, 2.35, 0.0, 1.57]
    for k in range(1, 84):
        biggest = int(np.argmax(np.bincount(cell.ravel()) * rng.uniform(0.5, 1, k)))
        inside = cell == biggest
        a = directions[rng.integers(len(directions))] + rng.normal(0, 0.12)
        px, py = xs[inside].mean() + rng.normal(0, 12), ys[inside].mean() + rng.normal(0, 12)
        d = (xs - px) * np.cos(a) + (ys - py) * np.sin(a)
        cell[inside & (d > 0)] = k
        shade += (
            inside * np.sign(d) * np.exp(-np.abs(d) / rng.uniform(25, 70)) * rng.choice([-1, 1]) * rng.uniform(0.4, 1)
        )
        edge = np.where(inside, np.minimum(edge, np.abs(d)), edge)
    count = cell.max() + 1
    turn, zoom = rng.normal(0, 0.30, count)[cell], rng.uniform(0.8, 1.3, count)[cell]
    area = np.bincount(cell.ravel(), minlength=count)
    cx = (np.bincount(cell.ravel(), xs.ravel(), count) / area)[cell]
    cy = (np.bincount(cell.ravel(), ys.ravel(), count) / area)[cell]
    dx, dy = (xs - cx) / zoom, (ys - cy) / zoom
    shift = rng.normal(0, 20, (count, 2))[cell]
    seen = sample(
        subject,
        cx + shift[..., 0] + dx * np.cos(turn) - dy * np.sin(turn),
        cy + shift[..., 1] + dx * np.sin(turn) + dy * np.cos(turn),
    )
    planes = ramp(
        rng.permutation(count) / count,
        (0, "#2f3a44"),
        (0.25, "#8a7a5c"),
        (0.5, "#b9965a"),
        (0.75, "#7d8c94"),
        (1, "#e2d3ae"),
    )[cell]
    target = (
        mix(seen, planes, np.float32(0.30) + 0.25 * (rng.random(count)[cell] > 0.7))
        * (1 + 0.30 * np.tanh(shade))[..., None]
    )
    angle = rng.choice(directions, count)[cell].astype(np.float32) + 0.2 * noise(width, height, 90, rng)
    brushes = (
        Brush(9, 16, 6.5, light=0.03, hue=0.02, taper=0.25, wander=0.2),
        Brush(5, 11, 3.6, light=0.045, hue=0.022, taper=0.25, wander=0.25),
        Brush(3.2, 10, 2.6, light=0.04, hue=0.02, bristles=2, taper=0.3, wander=0.2),
    )
    lines = smooth(9, 2, edge)
    painted = lit(paint(target, angle, brushes, rng, "#4a4034", 0.25 + 0.75 * lines), rng, relief=4)
    painted = mix(painted, target, 0.35 + 0.3 * lines) * (1 + 0.38 * np.tanh(1.3 * shade))[..., None]
    drawn = smooth(2.4, 0.9, edge + 0.5 * noise(width, height, 14, rng)) * (rng.random(count)[cell] > 0.2)
    return picture_of(mix(painted, rgb("#17120f"), 0.85 * drawn) * 1.12, width, height)


def _guitar_table(width: int, height: int, rng: Rng) -> Array:
    """[H,W,3] the subject before it is cut into planes."""
    x, y = plane(width, height)
    out = ramp(
        y + 0.1 * fbm(width, height, 120, rng),
        (0, "#39464f"),
        (0.4, "#77806f"),
        (0.66, "#a98b58"),
        (0.7, "#6b4526"),
        (1, "#3c2618"),
    )
    u, v = (x - 0.44) * 0.86 + (y - 0.56) * -0.5, (x - 0.44) * 0.5 + (y - 0.56) * 0.86
    body = np.minimum(np.hypot(u / 0.19, (v - 0.13) / 0.17), np.hypot(u / 0.145, (v + 0.09) / 0.13))
    wood = ramp(
        0.5 + 0.35 * np.sin(u * 130 + 2 * fbm(width, height, 60, rng)) - 1.6 * u,
        (0, "#8f3f16"),
        (0.5, "#d07a26"),
        (1, "#f4be62"),
    )
    neck = (np.abs(u) < 0.026) & (v < 0.05) & (v > -0.62)
    for mask, colour in (
        (body < 1.07, rgb("#2a160c")),
        (body < 1, wood),
        (np.hypot(u, v + 0.01) < 0.075, rgb("#f0d9a0")),
        (np.hypot(u, v + 0.01) < 0.058, rgb("#120b08")),
        ((np.abs(v - 0.19) < 0.012) & (np.abs(u) < 0.075), rgb("#231208")),
        (neck, ramp(np.sin(v * 150), (-1, "#2b1a10"), (1, "#6e4a2a"))),
        ((np.abs(np.abs(u) - 0.011) < 0.0022) & (v < 0.19) & (v > -0.6), rgb("#f6ecd0")),
    ):
        out = np.where(mask[..., None], colour, out)
    bottle = np.abs(x - 0.70) < 0.075 * (0.36 + 0.64 * smooth(0.30, 0.42, y))
    bottle &= (y > 0.12) & (y < 0.74)
    glass = ramp(
        (x - 0.70) / 0.075, (-1, "#0d2a22"), (-0.45, "#7fb59a"), (-0.2, "#2f6b55"), (0.7, "#123f35"), (1, "#0a1c18")
    )
    out = np.where(bottle[..., None], glass, out)
    label = bottle & (y > 0.48) & (y < 0.62)
    out = np.where(label[..., None], ramp(np.sin(y * 300), (-1, "#4a4034"), (0.2, "#ece0c0")), out)
    sheet = (np.abs((x - 0.17) + 0.3 * (y - 0.8)) < 0.13) & (np.abs(y - 0.80) < 0.10)
    out = np.where(
        sheet[..., None], ramp(np.sin(y * 420) + noise(width, height, 9, rng), (-1, "#5a544a"), (0, "#efe6cf")), out
    )
    for cx, cy, r, skin in (
        (0.60, 0.82, 0.062, "#c23b22"),
        (0.70, 0.84, 0.055, "#e0a52e"),
        (0.52, 0.86, 0.05, "#7f8c3a"),
    ):
        d = np.hypot(x - cx, y - cy) / r
        light = 1.15 - 0.6 * np.hypot((x - cx) / r + 0.4, (y - cy) / r + 0.4)
        out = np.where((d < 1)[..., None], rgb(skin) * np.clip(light, 0.25, 1.3)[..., None], out)
    return out
