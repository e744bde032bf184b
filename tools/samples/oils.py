"""Style pictures in oil: brush strokes along a field of angles."""

import numpy as np
from PIL import Image

from tools.samples.canvas import Array, Rng, blur, fbm, mix, noise, picture_of, plane, ramp, rgb, smooth
from tools.samples.strokes import Brush, lit, paint


def angle_of(height: Array) -> Array:
    """[H,W] the direction of the contour lines of `height`, radians."""
    dy, dx = np.gradient(height)
    return np.arctan2(-dx, dy)


def night_wind() -> Image.Image:
    """Draw a night sky in eddies over hills and a village, in long thick strokes along the flow."""
    rng, (width, height) = np.random.default_rng(11), (768, 640)
    x, y = plane(width, height)
    stars = [(0.14, 0.13, 0.045), (0.36, 0.08, 0.03), (0.60, 0.07, 0.035), (0.55, 0.45, 0.024), (0.09, 0.42, 0.035)]
    stars += [(0.80, 0.30, 0.03), (0.72, 0.15, 0.02), (0.30, 0.20, 0.022), (1.12, 0.40, 0.028)]
    eddies = [(0.46, 0.25, 0.17, 1.0), (0.70, 0.36, 0.12, -1.0), (0.27, 0.43, 0.08, 0.8), (0.93, 0.42, 0.08, 1.0)]
    moon = (1.0, 0.16, 0.075)
    vx = 1.0 + 0 * x
    vy = 0.35 * np.sin(5.2 * x + 1.0) + 0.25 * np.sin(9 * y + 3 * x)
    tone = 0.5 + 0.30 * np.sin(30 * (y + 0.05 * np.sin(5.2 * x + 1)) + 3 * fbm(width, height, 200, rng, 2))
    for cx, cy, r, turn in eddies:
        dx, dy = x - cx, y - cy
        near = np.exp(-(((dx * dx + dy * dy) / (r * r)) ** 1.2))
        d = np.hypot(dx, dy) + 1e-3
        spiral = 0.48 + 0.30 * np.sin(d / r * 13 - 2 * turn * np.arctan2(dy, dx) + 1) + 0.14 * np.sin(d / r * 4)
        vx, vy = vx * (1 - near) - turn * 2.4 * near * dy / d, vy * (1 - near) + turn * 2.4 * near * dx / d
        tone = tone * (1 - near) + near * spiral
    sky = ramp(
        tone - 0.25 * (y - 0.3),
        (0.0, "#0c1a4a"),
        (0.3, "#1d3f8f"),
        (0.55, "#3d74b8"),
        (0.8, "#86b7cf"),
        (1.0, "#d9e3bd"),
    )
    sky = mix(sky, ramp(tone, (0, "#4f8fae"), (1, "#d9e0b0")), 0.65 * smooth(0.44, 0.62, y))
    for cx, cy, r in [*stars, moon]:
        dx, dy = x - cx, y - cy
        d = np.hypot(dx, dy) / r
        near = np.exp(-((d / 2.3) ** 2))
        vx, vy = vx * (1 - near) - 2 * near * dy / (d * r + 1e-3), vy * (1 - near) + 2 * near * dx / (d * r + 1e-3)
        rings = 0.75 + 0.25 * np.cos(d * 5.5)
        sky = mix(
            sky,
            ramp(d, (0, "#fff6c8"), (0.8, "#fbd34a"), (1.6, "#e2b53c"), (2.6, "#8fb9a0")),
            np.exp(-((d / 1.8) ** 2)) * rings,
        )
    crescent = smooth(1.0, 0.9, np.hypot(x - 1.0, y - 0.16) / 0.075) * smooth(
        0.9, 1.0, np.hypot(x - 1.028, y - 0.148) / 0.062
    )
    sky = mix(sky, rgb("#ffab1f"), crescent)
    angle = np.arctan2(vy, vx)
    # Hills: three ridges, with strokes along the slopes.
    target = sky
    for k, (base, swing, dark, light) in enumerate(
        [(0.63, 0.05, "#23427f", "#6f9fc4"), (0.71, 0.04, "#16395c", "#5aa08c"), (0.80, 0.035, "#12302f", "#7fa04a")]
    ):
        ridge = base + swing * np.sin(4.1 * x + 2.3 * k + 0.5) + 0.4 * swing * np.sin(11 * x + k)
        inside = y > ridge
        shade = 0.45 + 0.5 * np.sin(75 * (y - ridge) + 3 * np.sin(6 * x + k) + 1.2) * np.exp(-3 * (y - ridge))
        target = np.where(inside[..., None], ramp(shade, (0, dark), (1, light)), target)
        slope = np.arctan(4.1 * swing * np.cos(4.1 * x + 2.3 * k + 0.5))
        angle = np.where(inside, slope + 0.5 * np.sin(9 * x + 30 * y), angle)
    target, angle = _village(target, angle, x, y, rng)
    for cx, base, top, w in [(0.17, 1.02, 0.22, 0.055), (0.265, 1.02, 0.50, 0.04)]:
        t = np.clip((y - top) / (base - top), 0, 1)
        edge = w * np.sin(np.pi * np.minimum(t, 0.97) ** 0.7) ** 0.8 * (1 + 0.2 * np.sin(34 * t + 9 * cx))
        dx = x - cx - 0.012 * np.sin(7 * t)
        inside = (np.abs(dx) < edge) & (y > top)
        flame = 0.5 + 0.5 * np.sin(70 * dx / w * 0.5 + 22 * t)
        target = np.where(inside[..., None], ramp(flame, (0, "#0a1712"), (0.6, "#1d3a24"), (1, "#566b2c")), target)
        angle = np.where(inside, np.pi / 2 + 0.5 * np.sin(16 * t + 30 * dx) + 2.5 * dx / w * 0.3, angle)
    brushes = (
        Brush(11, 46, 9, light=0.04, hue=0.03),
        Brush(7, 34, 5.0, light=0.06, hue=0.035),
        Brush(4.5, 20, 5.0, light=0.07, hue=0.04, bristles=3),
    )
    return picture_of(lit(paint(target, angle, brushes, rng, "#1a2340"), rng), width, height)


def _village(target: Array, angle: Array, x: Array, y: Array, rng: Rng) -> tuple[Array, Array]:
    """(`target`, `angle`) with houses, lit windows and a steeple on the lower slope."""
    for _ in range(15):
        cx, cy, w = rng.uniform(0.42, 1.15), rng.uniform(0.78, 0.88), rng.uniform(0.018, 0.034)
        tall = w * rng.uniform(0.7, 1.0)
        wall = (np.abs(x - cx) < w) & (y > cy - tall) & (y < cy)
        roof = (
            (y > cy - 2.1 * tall) & (y <= cy - tall) & (np.abs(x - cx) < 1.2 * w * (1 - (cy - tall - y) / (1.1 * tall)))
        )
        pane = (np.abs(np.abs(x - cx) - 0.5 * w) < 0.22 * w) & (np.abs(y - cy + 0.5 * tall) < 0.28 * tall)
        for mask, colour, a in ((wall, "#54729a", np.pi / 2), (roof, "#8a4a35", 0.6), (pane, "#ffd257", 0.0)):
            target = np.where(mask[..., None], rgb(colour), target)
            angle = np.where(mask, a, angle)
    spire = (np.abs(x - 0.70) < 0.016 * np.clip((y - 0.60) / 0.12, 0, 1)) & (y > 0.60) & (y < 0.84)
    return np.where(spire[..., None], rgb("#16274a"), target), np.where(spire, np.pi / 2, angle)


def red_evening() -> Image.Image:
    """Draw a red sky in long undulating bands over a fjord; few colors, long strokes."""
    rng, (width, height) = np.random.default_rng(5), (640, 768)
    x, y = plane(width, height)
    sway = (
        0.035 * np.sin(7.5 * x + 9 * y + 0.6)
        + 0.028 * np.sin(13 * x - 5 * y + 2)
        + 0.02 * fbm(width, height, 160, rng, 2)
    )
    sky_height = y + sway * (0.35 + 1.5 * y)
    band = 0.5 + 0.5 * np.sin(52 * sky_height + 1.3 * noise(width, height, (260, 30), rng))
    hue = np.clip(sky_height / 0.44, 0, 1)
    target = mix(
        ramp(hue, (0, "#8e1f1c"), (0.3, "#c8371d"), (0.6, "#e2641f"), (0.85, "#f0a23a"), (1, "#f4cf6b")),
        ramp(hue, (0, "#d6531f"), (0.3, "#f0932b"), (0.6, "#f6c549"), (0.85, "#f3e09a"), (1, "#e9e2b0")),
        smooth(0.25, 0.8, band),
    )
    target = mix(
        target, rgb("#3b4f7c"), smooth(0.75, 0.98, band) * smooth(0.0, 0.5, noise(width, height, (300, 60), rng)) * 0.8
    )
    sun = np.hypot(x - 0.50, y - 0.36)
    target = mix(target, ramp(sun / 0.06, (0, "#fff3c0"), (0.9, "#ffd95e"), (1.8, "#f59a30")), smooth(0.115, 0.05, sun))
    contour = sky_height + 0.12 * np.exp(-((sun / 0.13) ** 2))
    # The fjord: water that flows around two islands, then the near shore.
    water = y - 0.42 - 0.03 * np.sin(6 * x + 1)
    whirl = 0.09 * np.exp(-(((x - 0.62) / 0.17) ** 2) - ((y - 0.56) / 0.07) ** 2)
    flow = y + 0.05 * np.sin(6 * x + 1 + 6 * y) + whirl + 0.015 * fbm(width, height, 120, rng, 2)
    wave = 0.5 + 0.5 * np.sin(70 * flow)
    deep = ramp(wave, (0, "#0d1b33"), (0.45, "#1f4466"), (0.8, "#3f7f8c"), (1, "#c5a565"))
    glitter = np.exp(-(((x - 0.5) / 0.06) ** 2)) * smooth(0.62, 0.43, y) * smooth(0.45, 0.7, wave)
    deep = mix(deep, rgb("#ffb548"), glitter)
    target = np.where((water > 0)[..., None], deep, target)
    contour = np.where(water > 0, flow, contour)
    for cx, cy, w, h in [(0.12, 0.425, 0.30, 0.07), (0.74, 0.43, 0.22, 0.05)]:
        hill = y > cy - h * np.exp(-(((x - cx) / w) ** 2) * 2.5) + 0.006 * np.sin(40 * x)
        hill &= y < cy + 0.012 + 0.012 * np.sin(6 * x + 1)
        target = np.where(
            hill[..., None], ramp(np.sin(90 * (y + 0.3 * np.abs(x - cx))), (-1, "#15233d"), (1, "#3b4468")), target
        )
        contour = np.where(hill, y + 0.25 * np.abs(x - cx), contour)
    shore = y - 0.74 - 0.05 * np.sin(4.5 * x + 2.6) + 0.10 * x
    lines = shore + 0.03 * np.sin(14 * x + 18 * y)
    land = ramp(0.5 + 0.5 * np.sin(62 * lines), (0, "#1c2014"), (0.4, "#4a5a24"), (0.75, "#8c7a2a"), (1, "#c8642a"))
    target = np.where((shore > 0)[..., None], land, target)
    contour = np.where(shore > 0, lines, contour)
    angle = angle_of(blur(contour, 2))
    brushes = (
        Brush(9, 90, 9, light=0.03, hue=0.03, taper=0.4, wander=0.04),
        Brush(5.5, 70, 5.5, light=0.05, hue=0.04, taper=0.5, wander=0.05),
        Brush(3, 60, 7, light=0.09, hue=0.05, bristles=2, wander=0.05),
    )
    return picture_of(lit(paint(target, angle, brushes, rng, "#4a1d18"), rng, relief=5), width, height)


def lily_pond() -> Image.Image:
    """Draw water lilies between reflections of willows and sky, in short soft strokes of broken color."""
    rng, (width, height) = np.random.default_rng(21), (768, 640)
    x, y = plane(width, height)
    cloud = fbm(width, height, (150, 260), rng, 4)
    target = ramp(
        0.5 + 0.28 * cloud + 0.25 * (0.5 - y),
        (0, "#27405e"),
        (0.3, "#4d6fa3"),
        (0.55, "#8b93cf"),
        (0.75, "#c9b3dc"),
        (1, "#f3d9d6"),
    )
    willow = 0.8 * fbm(width, height, (34, 240), rng, 3) + 0.7 * fbm(width, height, 150, rng, 3)
    willow += 1.2 * np.cos(4.6 * x + 0.4) - 0.75 - 1.1 * (y - 0.35)
    leaf = ramp(
        fbm(width, height, (12, 50), rng, 2) * 0.3 + 0.5,
        (0, "#0f3330"),
        (0.45, "#2a6148"),
        (0.8, "#6a9a4d"),
        (1, "#b8c46a"),
    )
    target = mix(target, leaf, 0.85 * smooth(-0.8, 0.9, willow))
    gold = np.exp(-(((x - 0.66) / 0.22) ** 2) - ((y - 0.30) / 0.30) ** 2)
    target = mix(target, rgb("#f6d38c"), 0.55 * gold * smooth(-0.6, 0.6, cloud))
    angle = np.where(willow > 0.0, np.pi / 2 + 0.2 * cloud, 0.35 * noise(width, height, (120, 60), rng))
    angle = angle.astype(np.float32)
    mottle, pads, flowers = noise(width, height, 9, rng), [], []
    for cx, cy, spread, count in [
        (0.22, 0.34, 0.16, 16),
        (0.86, 0.22, 0.2, 14),
        (0.98, 0.56, 0.2, 20),
        (0.42, 0.70, 0.28, 30),
        (0.12, 0.9, 0.2, 18),
        (0.8, 0.9, 0.22, 18),
        (0.55, 0.13, 0.2, 9),
    ]:
        for _ in range(count):
            px, py = cx + rng.normal(0, spread * 0.6), cy + rng.normal(0, 0.035 + 0.03 * cy)
            pads.append((px, py, (0.022 + 0.045 * py) * rng.uniform(0.6, 1.2)))
            if rng.random() < 0.30:
                flowers.append(
                    (px + rng.normal(0, 0.01), py - 0.012 * (0.5 + py), (0.010 + 0.017 * py) * rng.uniform(0.8, 1.2))
                )
    for px, py, r in sorted(pads, key=lambda pad: pad[1]):
        near = _around(px, py, 2.2 * r, width, height)
        dx, dy = (x[near] - px) / r, (y[near] - py) / (0.42 * r)
        d = np.hypot(dx, dy)
        inside = d < 1 + 0.1 * np.sin(3 * np.arctan2(dy, dx) + 40 * px)
        tone = 0.55 - 0.3 * dy + 0.12 * np.sin(30 * px) + 0.15 * mottle[near]
        pad = ramp(tone, (0, "#173f3b"), (0.35, "#3b7a5c"), (0.65, "#7fb08a"), (0.9, "#c9d8ae"), (1, "#e9c9c0"))
        wet = mix(target[near], rgb("#1b3350"), 0.5 * np.exp(-((d - 1) ** 2) * 9) * (dy > 0))
        target[near] = np.where(inside[..., None], pad, wet)
        angle[near] = np.where(inside, 0.15 * dx, angle[near])
    for px, py, r in flowers:
        near = _around(px, py, 1.2 * r, width, height)
        dx, dy = (x[near] - px) / r, (y[near] - py) / (0.8 * r)
        d, a = np.hypot(dx, dy), np.arctan2(dy, dx)
        stops = ((0, "#f6c64d"), (0.25, "#fff4ea"), (0.6, "#f8c7d4"), (1, "#cf6f9b"))
        target[near] = np.where((d < 1)[..., None], ramp(d + 0.25 * np.sin(7 * a), *stops), target[near])
        angle[near] = np.where(d < 1, a, angle[near])
    brushes = (
        Brush(15, 34, 11, light=0.03, hue=0.04, wander=0.3),
        Brush(8, 20, 6.0, light=0.06, hue=0.05, wander=0.25),
        Brush(4.5, 12, 4.2, light=0.07, hue=0.06, bristles=3, wander=0.3),
    )
    return picture_of(lit(paint(target, angle, brushes, rng, "#35506b"), rng), width, height)


def _around(cx: float, cy: float, reach: float, width: int, height: int) -> tuple[slice, slice]:
    """The slices of the pixels within `reach` of (cx, cy), all in picture heights; at least 2 x 2 pixels."""
    left, top = (int(np.clip((c - reach) * height, 0, limit - 2)) for c, limit in ((cx, width), (cy, height)))
    right, bottom = (max(int((c + reach) * height), 0) for c in (cx, cy))
    return slice(top, max(bottom, top + 2)), slice(left, max(right, left + 2))
