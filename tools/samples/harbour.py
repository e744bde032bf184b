"""A content picture: a harbour town at dusk, with lamps and boats. Light is linear until it is tone mapped."""

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
    spline,
    tone_map,
    vec,
)


def harbour() -> Image.Image:
    """Draw a harbour at dusk: gabled houses with lit windows, moored boats, lamps and their reflections."""
    rng, (width, height), (w, h) = np.random.default_rng(77), (768, 576), (1152, 864)
    x, y = plane(w, h)
    quay = 0.585
    clouds = fbm(w, h, (330, 60), rng, 6)
    sky = linear(
        ramp(
            y + 0.015 * clouds,
            (0, "#1b2c5e"),
            (0.18, "#3a4c8c"),
            (0.33, "#8a6a9c"),
            (0.45, "#e58a6c"),
            (0.54, "#ffc27a"),
        )
    )
    under = clouds - np.roll(clouds, -10, 0)
    cover = smooth(0.1, 1.3, clouds) * smooth(0.56, 0.30, y)
    sky = mix(
        sky, mix(linear(rgb("#39365f")), linear(rgb("#ff8f6a")) * 1.2, np.clip(0.35 + 0.9 * under, 0, 1)), 0.75 * cover
    )
    sky += np.exp(-(((x - 1.02) / 0.22) ** 2) - ((y - 0.545) / 0.075) ** 2)[..., None] * vec(1.4, 0.62, 0.22)
    scene, lamps = sky * 0.9, np.zeros((h, w, 3), np.float32)
    for k, (base, swing, colour) in enumerate([(0.485, 0.055, "#7a6488"), (0.53, 0.035, "#4a4468")]):
        ridge = (
            base - swing * fbm(w, 1, 300 - 90 * k, rng, 6)[0] - swing * np.exp(-(((x[0] - 0.25 - 0.9 * k) / 0.3) ** 2))
        )
        scene = mix(
            scene,
            linear(rgb(colour)) * (1 + 0.09 * fbm(w, h, (14, 5), rng, 4))[..., None],
            smooth(-0.001, 0.001, y - ridge),
        )
    town = Image.new("RGBA", (w, h), (0, 0, 0, 0))
    glow = Image.new("RGB", (w, h))
    _houses(ImageDraw.Draw(town), ImageDraw.Draw(glow), w, h, quay, rng)
    walls = pixels_of(town)
    weather = 1 + 0.16 * fbm(w, h, (8, 30), rng, 5) + 0.10 * noise(w, h, 2, rng)
    dusk = vec(0.62, 0.55, 0.72) + np.exp(-(((x - 1.02) / 0.5) ** 2))[..., None] * vec(0.45, 0.2, 0.02)
    scene = mix(scene, linear(walls[..., :3]) * dusk * weather[..., None], walls[..., 3])
    lamps += linear(pixels_of(glow)) * 2.6
    scene += lamps + _street_light(w, h, quay, rng) * (walls[..., 3] * linear(walls[..., :3]).mean(-1))[..., None]
    scene = _harbour_water(scene + 0.5 * blur(lamps, 5), quay, rng)
    light = np.zeros_like(scene)
    for cx, base, size, hull, rigged in BOATS:
        _draw_boat(scene, light, dusk, int(cx * w), int(base * h), size, hull, rigged, rng)
    lamps += light
    scene += light + 0.5 * blur(lamps, 4) + 0.5 * blur(lamps, 16) + 0.35 * blur(lamps, 50)
    return picture_of(tone_map(scene * 1.05, rng, 0.35), width, height)


FACADES = ["#c98b5a", "#b5544a", "#d9c08a", "#7f93a8", "#c9a0a0", "#a8b08a", "#e0cfae", "#8a5a4a", "#b8a4c0", "#d8a860"]


def _houses(draw: ImageDraw.ImageDraw, glow: ImageDraw.ImageDraw, w: int, h: int, quay: float, rng: Rng) -> None:
    """Draw two rows of gabled houses on a quay and a church behind; lit windows go to `glow`."""
    for row, (foot, scale) in enumerate([(quay - 0.035, 0.75), (quay - 0.008, 1.0)]):
        left = -20.0 + 30 * row
        if row == 1:
            _church(draw, glow, 0.27 * w, (quay - 0.03) * h, h)
        while left < (0.70 if row == 0 else 0.80) * w:
            wide = rng.uniform(38, 66) * scale
            tall = rng.uniform(86, 165) * scale * (1.0 - 0.35 * smooth(0.35, 0.8, left / w))
            _house(draw, glow, left, foot * h, wide, float(tall), rng)
            left += wide + (rng.uniform(2, 16) if rng.random() < 0.3 else 0)
    draw.polygon(
        [
            (0, (quay - 0.014) * h),
            (0.86 * w, (quay - 0.012) * h),
            (0.90 * w, (quay + 0.004) * h),
            (0, (quay + 0.004) * h),
        ],
        (96, 86, 84, 255),
    )
    draw.rectangle((0, (quay + 0.002) * h, 0.90 * w, (quay + 0.02) * h), (46, 42, 46, 255))


def _house(
    draw: ImageDraw.ImageDraw, glow: ImageDraw.ImageDraw, left: float, foot: float, wide: float, tall: float, rng: Rng
) -> None:
    tone = rgb(FACADES[int(rng.integers(len(FACADES)))]) * rng.uniform(0.75, 1.0) * 255
    wall = (*tone.astype(int).tolist(), 255)
    dark = (*(tone * 0.55).astype(int).tolist(), 255)
    roof = (*(np.array([92, 58, 52]) * rng.uniform(0.6, 1.2)).astype(int).tolist(), 255)
    top, right = foot - tall, left + wide
    draw.rectangle((left, top, right, foot), wall)
    draw.rectangle((right - 0.1 * wide, top, right, foot), dark)
    peak = top - wide * rng.uniform(0.45, 0.8)
    if rng.random() < 0.6:
        draw.polygon([(left, top), ((left + right) / 2, peak), (right, top)], wall)
        draw.line([(left - 3, top + 3), ((left + right) / 2, peak - 2), (right + 3, top + 3)], roof, 5)
    else:
        peak = top - wide * 0.4
        draw.polygon(
            [(left - 3, top + 2), (left + 0.15 * wide, peak), (right - 0.15 * wide, peak), (right + 3, top + 2)], roof
        )
    chimney = left + wide * rng.uniform(0.6, 0.8)
    draw.rectangle((chimney, peak - 6, chimney + 0.12 * wide, top), dark)
    columns, rows = (3 if wide > 44 else 2), max(2, int(tall / 27))
    for r in range(rows):
        for c in range(columns):
            cx = left + wide * (c + 0.6) / (columns + 0.25)
            cy = top + (tall - 10) * (r + 0.45) / rows
            pane = (cx - 0.075 * wide, cy - 7, cx + 0.075 * wide, cy + 6)
            draw.rectangle((pane[0] - 1.5, pane[1] - 1.5, pane[2] + 1.5, pane[3] + 2.5), (226, 214, 196, 255))
            draw.rectangle(pane, (30, 34, 52, 255))
            if rng.random() < 0.34:
                warm = rng.uniform(0.45, 1.0)
                glow.rectangle(
                    pane, (int(255 * warm), int(rng.uniform(150, 205) * warm), int(rng.uniform(50, 110) * warm))
                )
            for shape in ((cx, pane[1], cx, pane[3]), (pane[0], cy, pane[2], cy)):
                draw.line(shape, (210, 196, 176, 255))
                glow.line(shape, (40, 26, 12))


def _church(draw: ImageDraw.ImageDraw, glow: ImageDraw.ImageDraw, cx: float, foot: float, h: int) -> None:
    """Draw a tower with a clock and a copper spire."""
    half, top = 0.030 * h, foot - 0.30 * h
    draw.rectangle((cx - half, top, cx + half, foot), (150, 128, 112, 255))
    draw.rectangle((cx + 0.35 * half, top, cx + half, foot), (104, 88, 86, 255))
    draw.polygon(
        [
            (cx - 1.2 * half, top),
            (cx - 0.55 * half, top - 0.05 * h),
            (cx, top - 0.19 * h),
            (cx + 0.55 * half, top - 0.05 * h),
            (cx + 1.2 * half, top),
        ],
        (74, 104, 98, 255),
    )
    for k in range(3):
        draw.ellipse((cx - 5, top + 62 + 40 * k, cx + 5, top + 84 + 40 * k), (38, 34, 44, 255))
    glow.ellipse((cx - 11, top + 16, cx + 11, top + 38), (230, 190, 120))


def _street_light(w: int, h: int, quay: float, rng: Rng) -> Array:
    """[H,W,3] warm light of the lamps along the quay on the walls behind them."""
    x, y = plane(w, h)
    out = np.zeros((h, w), np.float32)
    for k in range(9):
        cx = (0.06 + 0.145 * k) * 1.0
        out += np.exp(-(((x - cx) / 0.05) ** 2) - ((y - quay + 0.035) / 0.045) ** 2)
    return out[..., None] * vec(1.5, 0.80, 0.30)


def _harbour_water(scene: Array, quay: float, rng: Rng) -> Array:
    """`scene` with water below the quay: a reflection, stretched downwards by small waves."""
    h, w = scene.shape[:2]
    shore = int(quay * h)
    x, y = (axis[shore:] for axis in plane(w, h))
    ys, xs = np.mgrid[shore:h, 0:w].astype(np.float32)
    below = np.maximum(y - quay, 1e-3)
    field = fbm(1024, 1024, (70, 26), rng, 5, 0.6)
    depth = 0.09 / (below + 0.02)
    ripple = sample(field, ((x - 0.6) * depth * 330 + 500) % 1022, (depth * 420) % 1022)
    out = np.zeros_like(scene[shore:])
    spread = 3 + 95 * below
    for k, jitter in enumerate(np.linspace(-1, 1, 9)):
        shift = ripple * (5 + 90 * below) + jitter * spread * (1 + 0.3 * np.sin(k))
        out += sample(scene, xs + ripple * 3, 2 * quay * h - ys + shift) / 9
    grazing = np.clip(1 - 1.1 * below, 0.35, 1)
    water = mix(linear(rgb("#0c1a30")), out * vec(0.82, 0.86, 0.95), grazing * (0.86 + 0.14 * np.tanh(ripple)))
    return np.concatenate([scene[:shore], mix(scene[shore:], water, smooth(0.018, 0.021, y - quay))])


BOATS = [  # x and waterline in picture widths and heights, size, hull, rigged
    (0.74, 0.632, 0.60, "#3c5a78", True),
    (0.57, 0.645, 0.75, "#e4dccb", True),
    (0.37, 0.672, 0.95, "#2f6a62", True),
    (0.13, 0.735, 1.45, "#b8402f", True),
    (0.80, 0.845, 2.10, "#24405f", True),
    (0.44, 0.875, 1.25, "#7a4a2c", False),
]


def _draw_boat(
    scene: Array, light: Array, dusk: Array, x: int, y: int, size: float, hull: str, rigged: bool, rng: Rng
) -> None:
    """Draw a boat at (x, y) and its reflection into `scene`, its lanterns into `light`."""
    boat, lanterns, line = _boat_layers(62 * size, hull, rigged)
    body = pixels_of(boat)
    wide = body.shape[1]
    xs, ys = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(int(line * 0.8), dtype=np.float32))
    ripple = fbm(wide, len(ys), (34 * size, 7 * size), rng, 3) * (1.5 + 0.055 * ys)
    mirror = sample(body[..., :3], xs + ripple, line - ys * 1.2) * 0.75
    veil = sample(body[..., 3], xs + ripple, line - ys * 1.2) * (0.80 - 0.55 * ys / line)
    for top, colour, alpha in ((y, mirror, veil), (y - line, body[..., :3], body[..., 3])):
        here, part = _overlap(x - wide // 2, top, colour, scene)
        scene[here] = mix(scene[here], linear(colour[part]) * (dusk[here] + 0.15), alpha[part])
    here, part = _overlap(x - wide // 2, y - line, body, scene)
    light[here] += linear(pixels_of(lanterns))[part] * 3


def _overlap(left: int, top: int, tile: Array, picture: Array) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """(The slices of the picture that a tile at (left, top) covers, the slices of the tile that lie inside)."""
    right, bottom = left + tile.shape[1], top + tile.shape[0]
    rows = slice(max(top, 0), min(bottom, picture.shape[0]))
    columns = slice(max(left, 0), min(right, picture.shape[1]))
    return (rows, columns), (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )


def _boat_layers(r: float, hull: str, rigged: bool) -> tuple[Image.Image, Image.Image, int]:
    """(A boat of half-length `r` pixels, its lights, the row of its waterline); cabin and mast if `rigged`."""
    size = (int(2.4 * r), int(2.6 * r))
    boat, lanterns = Image.new("RGBA", size, (0, 0, 0, 0)), Image.new("RGB", size)
    draw, glow = ImageDraw.Draw(boat), ImageDraw.Draw(lanterns)
    x, y = size[0] / 2, 2.5 * r
    tone, thin = rgb(hull) * 255, max(1, round(r / 45))
    t = np.linspace(-1, 1, 40)
    sheer = y - r * (0.20 + 0.12 * t**2 + 0.06 * t)
    keel = y + r * 0.05 * (1 - t**2)
    for k in range(14):
        f, g = k / 14, (k + 1.3) / 14
        upper = np.stack([x + r * t * (1 + 0.06 * t) * (1 - 0.14 * f), sheer + (keel - sheer) * f], -1)
        lower = np.stack([x + r * t * (1 + 0.06 * t) * (1 - 0.14 * g), sheer + (keel - sheer) * g], -1)
        plank = (tone * (1.15 - 0.8 * f) * (0.86 if k % 2 else 1)).clip(0, 255).astype(int).tolist()
        draw.polygon(np.concatenate([upper, lower[::-1]]).ravel().tolist(), (*plank, 255))
    rail = np.stack([x + r * t * (1 + 0.06 * t), sheer], -1)
    draw.line(rail.ravel().tolist(), (238, 220, 190, 255), thin + 1)
    if not rigged:
        for seat in (-0.4, 0.1, 0.5):
            draw.line((x + seat * r, y - 0.16 * r, x + (seat + 0.12) * r, y - 0.30 * r), (92, 62, 42, 255), thin + 1)
        return boat, lanterns, int(y)
    cabin = (x - 0.42 * r, y - 0.44 * r, x + 0.18 * r, y - 0.20 * r)
    draw.rectangle(cabin, (214, 200, 178, 255))
    draw.rectangle((cabin[0], y - 0.27 * r, cabin[2], cabin[3]), (168, 154, 138, 255))
    draw.rectangle(
        (cabin[0] - 0.04 * r, cabin[1] - 0.05 * r, cabin[2] + 0.04 * r, cabin[1] + 0.02 * r), (112, 74, 52, 255)
    )
    for k in range(3):
        pane_x = cabin[0] + (k + 0.6) * 0.17 * r
        pane = (pane_x - 0.045 * r, y - 0.38 * r, pane_x + 0.045 * r, y - 0.29 * r)
        draw.rectangle(pane, (34, 40, 60, 255))
        if k != 1:
            glow.rectangle(pane, (255, 186, 90))
    mast, top, wood = x + 0.22 * r, y - 2.35 * r, (70, 50, 42, 255)
    draw.line((mast, y - 0.2 * r, mast, top), wood, 2 * thin)
    draw.line((mast, y - 0.58 * r, x - 0.88 * r, y - 0.52 * r), wood, 2 * thin)
    furled = spline([(mast, y - 0.76 * r), (x - 0.3 * r, y - 0.70 * r), (x - 0.84 * r, y - 0.60 * r)], 20)
    boom = np.array([[x - 0.84 * r, y - 0.54 * r], [mast, y - 0.60 * r]])
    draw.polygon(np.concatenate([furled, boom]).ravel().tolist(), (196, 178, 156, 255))
    for k in range(2, 18, 3):
        draw.line((*furled[k], furled[k][0] + 0.02 * r, furled[k][1] + 0.12 * r), (140, 122, 108, 255), thin)
    for end in (x - 0.98 * r, x + 1.02 * r, x - 0.3 * r, x + 0.5 * r):
        draw.line((mast, top, end, y - 0.28 * r), (44, 38, 46, 255), 1)
    glow.ellipse((mast - 0.035 * r, top, mast + 0.035 * r, top + 0.07 * r), (255, 214, 150))
    return boat, lanterns, int(y)
