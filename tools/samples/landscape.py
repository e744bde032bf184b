"""A content picture: mountains, forest and sky around a lake. Light is linear until it is tone mapped."""

import numpy as np
from PIL import Image, ImageDraw

from tools.samples.canvas import (
    Array,
    Rng,
    blur,
    fbm,
    linear,
    mix,
    noise,
    picture_of,
    pixels_of,
    plane,
    ramp,
    rgb,
    sample,
    smooth,
    tone_map,
    vec,
)


def alpine_lake() -> Image.Image:
    """Draw a mountain lake at sunrise: a height field in perspective, with haze and the lake's reflection."""
    rng, (width, height), (w, h) = np.random.default_rng(42), (768, 576), (1152, 864)
    land = _mountains(rng)
    sun = vec(-0.80, 0.34, 0.50)  # right, up, away
    sun /= np.linalg.norm(sun)
    horizon = 0.53
    x, y = plane(w, h)
    u, slope = (x - w / h / 2) * 0.86, (horizon - y) * 0.86  # a ray's sideways and upward run per unit of distance
    distance = _hit_distance(land, u[0], slope[:, 0])
    sky = _sky(w, h, u, slope, rng)
    hit = np.isfinite(distance)
    z = np.where(hit, distance, 1.0).astype(np.float32)
    gx, gz = _map_xy(u * z, z)
    high = sample(land, gx, gz)
    cell = 8 / 1024
    dz, dx = np.gradient(land)
    nx, nz = -sample(dx / cell, gx, gz), -sample(dz / cell, gx, gz)
    fine = fbm(1024, 1024, 14, rng, 4, 0.75)
    fz, fx = np.gradient(fine)
    rough = 0.28 / (1 + 0.18 * z)
    nx, nz = (
        nx - rough * sample(fx, gx * 1.9 % 1022, gz * 1.9 % 1022),
        nz - rough * sample(fz, gx * 1.9 % 1022, gz * 1.9 % 1022),
    )
    ny = 1 / np.sqrt(1 + nx * nx + nz * nz)
    lit = np.clip((nx * sun[0] + sun[1] + nz * sun[2]) * ny, 0, 1) * sample(_sunlit(land, sun), gx, gz)
    grain = sample(fine, gx * 2.7 % 1022, gz * 2.7 % 1022)
    rock = mix(
        linear(rgb("#6b625e")), linear(rgb("#a39382")), smooth(-1, 1, grain + 2 * sample(fine, gx * 0.5, gz * 0.5))
    )
    forest = mix(linear(rgb("#16261a")), linear(rgb("#46592c")), smooth(-0.8, 1.2, grain))
    meadow = mix(linear(rgb("#5c6a2c")), linear(rgb("#a0924a")), smooth(-1, 1, grain))
    snow = smooth(0.80, 0.98, high * 0.62 + ny * 0.62 + 0.05 * grain)
    trees = smooth(0.52, 0.40, high + 0.06 * grain) * smooth(0.42, 0.62, ny)
    ground = mix(
        mix(rock, mix(meadow, forest, smooth(0.06, 0.11, high + 0.05 * grain)), trees),
        vec(0.88, 0.91, 0.97),
        snow,
    )
    warm, cool = vec(3.3, 2.25, 1.35), vec(0.30, 0.42, 0.66)
    shaded = ground * (lit[..., None] * warm + (0.35 + 0.65 * ny)[..., None] * cool)
    haze = _haze(u, slope)
    air = 1 - np.exp(-0.085 * z - 0.28 * smooth(2, 6, z) * np.exp(-7 * np.maximum(high, 0)))
    valley = (
        np.exp(-26 * np.maximum(high - 0.01, 0)) * smooth(1.6, 4.2, z) * (0.75 + 0.25 * fbm(w, h, (240, 24), rng, 4))
    )
    view = np.where(hit[..., None], mix(shaded, haze, np.clip(air + 0.75 * valley, 0, 0.97)), sky)
    view = _with_lake(view, (high < 0.0015) & hit, u, z, slope, horizon, rng)
    _draw_shore(view, w, h, rng)
    bright = blur(np.maximum(view - 0.9, 0).mean(-1), 14)[..., None] * vec(0.5, 0.42, 0.34)
    return picture_of(tone_map(view**1.12 * 0.92 + bright, rng), width, height)


def _mountains(rng: Rng) -> Array:
    """[1024,1024] heights in kilometres above the lake: rows are distance 0..8, columns x -4..4; the lake is 0."""
    n = 1024
    x, z = plane(n, n)
    x, z = x * 8 - 4, z * 8
    total, damp_x, damp_z, strength, cell = np.zeros((n, n), np.float32), 0.0, 0.0, 1.0, 300.0
    for octave in range(9):
        layer = noise(n, n, cell, rng) * 0.55
        if octave < 5:
            layer = 0.75 - 1.5 * np.sqrt(layer**2 + 0.012)  # ridges
        gz, gx = np.gradient(layer * np.float32(cell / 3))
        damp_x, damp_z = damp_x + gx * strength, damp_z + gz * strength
        total += strength * layer / (1 + 0.9 * (damp_x**2 + damp_z**2))  # steep slopes lose detail, as by erosion
        strength, cell = strength * 0.48, cell * 0.52
    rise = 0.10 * smooth(3.4, 4.6, z) + 0.95 * smooth(4.2, 6.6, z)
    sides = 0.85 * smooth(0.55, 2.3, np.abs(x + 0.15) - 0.16 * (z - 2)) * smooth(1.2, 3.2, z)
    peak = 0.85 * np.exp(-(((x - 0.55) / 0.8) ** 2) - ((z - 6.2) / 0.8) ** 2)
    envelope = np.maximum(rise, sides) + 0.3 * rise * sides
    heights = envelope * (0.70 + 0.62 * total) + peak + 0.07 * total - 0.075
    canopy = np.maximum(noise(n, n, 3.2, rng), 0) * 0.012 * smooth(0.55, 0.30, heights) * smooth(4.5, 3.0, z)
    heights = heights + canopy * smooth(0.01, 0.05, heights)
    return np.maximum(heights, 0).astype(np.float32)


def _map_xy(x: Array, z: Array) -> tuple[Array, Array]:
    """Columns and rows of the height map at world coordinates."""
    return (x + 4) * 128, z * 128


def _hit_distance(land: Array, u: Array, slope: Array, eye: float = 0.13) -> Array:
    """[H,W] distance at which the ray (u, slope) hits the land, inf where it reaches the sky."""
    z = (0.35 * (7.9 / 0.35) ** np.linspace(0, 1, 1100)).astype(np.float32)[:, None]
    seen = (sample(land, *_map_xy(u[None] * z, z + 0 * u[None])) - eye) / z
    seen = np.maximum.accumulate(seen, 0)
    rows = np.stack([np.searchsorted(seen[:, c], slope) for c in range(len(u))], 1)
    near = np.clip(rows, 1, len(z) - 1)
    after, before = np.take_along_axis(seen, near, 0), np.take_along_axis(seen, near - 1, 0)
    part = np.clip((slope[:, None] - before) / (after - before + 1e-7), 0, 1)
    hit = z[near - 1, 0] + part * (z[near, 0] - z[near - 1, 0])
    return np.where(rows == len(z), np.inf, hit)


def _sunlit(land: Array, sun: Array) -> Array:
    """[N,N] 1 in the sun, 0 in the shadow of higher land to the left, soft between."""
    cell = 8 / 1024
    drop = (sun[1] / np.hypot(sun[0], sun[2]) * cell * np.arange(land.shape[1])).astype(np.float32)
    shear = np.round(np.arange(land.shape[1]) * sun[2] / sun[0]).astype(int)
    rows = (np.arange(land.shape[0])[:, None] + shear[None]) % land.shape[0]
    columns = np.arange(land.shape[1])[None]
    sheared = land[rows, columns] + drop
    over = np.maximum.accumulate(sheared, 1) - sheared
    out = np.empty_like(land)
    out[rows, columns + 0 * rows] = smooth(0.05, 0.0, over)
    return blur(out, 1.5)


def _haze(u: Array, slope: Array) -> Array:
    """[H,W,3] light of the haze in a direction: warm towards the sun on the left."""
    towards = np.exp(-(((u + 0.52) / 0.55) ** 2) - ((slope - 0.12) / 0.35) ** 2)
    return mix(linear(rgb("#9fb4cf")), linear(rgb("#ffcf9a")) * 1.25, towards)


def _sky(w: int, h: int, u: Array, slope: Array, rng: Rng) -> Array:
    """[H,W,3] the sky: blue above, golden at the horizon, clouds in perspective with lit edges."""
    base = linear(
        ramp(slope, (0.02, "#ffd9a0"), (0.12, "#fcc79a"), (0.20, "#d9b9b4"), (0.29, "#7fa0cb"), (0.43, "#2a5596"))
    )
    near = np.exp(-(((u + 0.36) / 0.26) ** 2) - ((slope - 0.185) / 0.15) ** 2)
    disc = smooth(0.026, 0.019, np.hypot(u + 0.36, slope - 0.185))
    base = base * 1.05 + near[..., None] * vec(1.5, 0.95, 0.45) + disc[..., None] * vec(9, 7, 4.5)
    field = fbm(1400, 1400, (330, 150), rng, 7, 0.56)
    depth = 1 / (np.maximum(slope, 0) + 0.10)
    cu, cv = 700 + u * depth * 140, 60 + depth * 120
    thick = sample(field, cu, cv)
    lit_edge = thick - sample(field, cu - 9, cv + 7)
    cover = smooth(0.35, 1.6, thick) * smooth(0.03, 0.16, slope)
    glow = mix(linear(rgb("#ff9d6a")) * 1.5, linear(rgb("#fff0dc")) * 1.25, smooth(0.1, 0.5, slope))
    cloud = mix(linear(rgb("#7f8098")), glow, np.clip(0.5 + 1.1 * lit_edge + 0.8 * near, 0, 1))
    return mix(base, cloud, 0.8 * cover)


def _with_lake(view: Array, water: Array, u: Array, z: Array, slope: Array, horizon: float, rng: Rng) -> Array:
    """`view` with a lake where `water` is set: its reflection, broken by ripples that lengthen towards the viewer."""
    h, w = water.shape
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    below = np.maximum(-slope, 0.004)
    field = fbm(1024, 1024, (60, 34), rng, 5, 0.62)
    depth = 0.13 / below
    a, b = (u * depth * 520 + 500) % 1022, (depth * 900) % 1022
    ripple = (
        sample(field, a, b)
        * smooth(0.0, 0.16, below)
        * (0.5 + 0.5 * smooth(-0.6, 0.8, sample(field, a * 0.21 + 60, b * 0.12 + 90)))
    )
    out = np.zeros_like(view)
    for jitter in (-1.0, -0.35, 0.3, 0.9):
        shift = (ripple * 16 + jitter * (1 + 26 * below)) * (0.3 + 3.0 * below)
        out += sample(view, xs + 2.5 * ripple * below, 2 * horizon * h - ys + shift * 2.2) / 4
    grazing = np.clip(0.18 + 0.82 * (1 - below / 0.52) ** 2.2, 0, 1)
    deep = linear(rgb("#0f2f38")) * (1 + 0.5 * ripple)[..., None]
    lake = mix(deep, out * vec(0.90, 0.93, 0.97), grazing)
    wet = smooth(0.35, 0.65, blur(water.astype(np.float32), 0.8))
    return mix(view, lake, wet)


def _draw_shore(view: Array, w: int, h: int, rng: Rng) -> None:
    """Draw firs and grass of the foreground into `view`: dark, lit on the side of the sun."""
    image = Image.new("RGBA", (w, h), (40, 40, 34, 0))
    draw = ImageDraw.Draw(image)
    bank = h * (0.955 - 0.05 * np.cos(np.linspace(-0.4, 4.6, w)) + 0.012 * fbm(w, 1, 60, rng)[0])
    draw.polygon([(0, h), *zip(range(w), bank.tolist(), strict=True), (w, h)], (44, 44, 32, 255))
    firs = [(rng.uniform(-0.02, 0.19), rng.uniform(0.16, 0.34)) for _ in range(9)]
    firs += [(rng.uniform(0.86, 1.02), rng.uniform(0.14, 0.30)) for _ in range(7)]
    firs += [(0.06, 0.74), (0.155, 0.50), (-0.015, 0.56), (0.945, 0.56), (1.0, 0.70), (0.885, 0.36)]
    for cx, tall in firs:
        _draw_fir(draw, cx * w, bank[int(np.clip(cx * w, 0, w - 1))] + 12, tall * h, rng)
    for _ in range(1500):
        px = rng.uniform(0, w)
        py = bank[int(px)] + rng.uniform(-2, 0.09 * h)
        length, lean = rng.uniform(8, 34), rng.normal(0.25, 0.35)
        tone = rng.uniform(0.4, 1.25)
        path = [(px, py), (px + 0.4 * lean * length, py - 0.6 * length), (px + lean * length, py - length)]
        draw.line(path, (int(118 * tone), int(104 * tone), int(56 * tone), 255), 1)
    layer = pixels_of(image)
    alpha = layer[..., 3:]
    view *= 1 - alpha
    view += linear(layer[..., :3]) * alpha


def _draw_fir(draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, rng: Rng) -> None:
    """Draw a fir from the top down: overlapping boughs, paler on the side of the sun."""
    draw.line((x, foot, x, foot - 0.97 * tall), (24, 20, 16, 255), max(2, int(tall / 130)))
    for t in np.linspace(0.02, 0.94, int(tall / 4.5)) ** 0.92:
        top = foot - tall * (1 - t)
        for side in rng.permutation([-1, 1]):
            reach = tall * (0.012 + 0.175 * t) * rng.uniform(0.35, 1.25)
            s = np.linspace(0, 1, 12)
            upper = top + reach * (rng.uniform(-0.05, 0.40) * s + rng.uniform(0.05, 0.3) * s**2)
            hang = reach * (0.04 + 0.16 * (1 - s)) * rng.uniform(0.0, 1.3, 12) + 1
            hang[-1] = 0
            along = x + side * reach * s
            bough = np.concatenate([np.stack([along, upper], -1), np.stack([along, upper + hang], -1)[::-1]])
            tone = rng.uniform(0.45, 1.0) * (1.0 if side < 0 else 0.6)
            draw.polygon(bough.ravel().tolist(), (int(62 * tone), int(76 * tone), int(52 * tone), 255))
            if side < 0:
                rim = np.stack([along, upper], -1)[int(rng.uniform(3, 9)) :]
                draw.line(rim.ravel().tolist(), (int(190 * tone), int(158 * tone), int(92 * tone), 255), 1)
            for k in range(3, 12):
                end = (along[k] + rng.normal(0, 0.03 * reach), upper[k] + hang[k] + 0.10 * reach * rng.random() + 2)
                draw.line((along[k], upper[k], *end), (int(50 * tone), int(62 * tone), int(42 * tone), 255), 1)
