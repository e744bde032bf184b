"""A content picture: a marble head, modeled as a height field. Light is linear until it is tone mapped."""

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
    smooth,
    tone_map,
    vec,
)


def marble_head() -> Image.Image:
    """Draw a marble head in three-quarter view by lamplight, as a depth map with self-shadowing."""
    rng, (width, height), (w, h) = np.random.default_rng(9), (576, 768), (864, 1152)
    x, y = plane(w, h)
    head, hair = _head((x - 0.385) / 1.10, (y - 0.39) / 1.10, rng)
    bust = _shoulders(x - 0.375, y, rng)
    k = 0.02  # depth over which neck and head blend
    t = np.clip(0.5 + 0.5 * (head - bust) / k, 0, 1)
    depth = bust + (head - bust) * t + k * t * (1 - t)
    inside = smooth(-0.30, -0.28, depth)
    relief = np.where(depth > -0.3, depth, -0.3) * h
    n = normals(blur(relief, 1.0) + 0.10 * fbm(w, h, 5, rng, 3))
    light = vec(-0.76, -0.44, 0.48)
    shadow = _relief_shadow(relief, light, 46)
    hollow = np.clip((blur(relief, 7) - relief) / 7, 0, 1) + 0.6 * np.clip((blur(relief, 24) - relief) / 24, 0, 1)
    veins = np.abs(fbm(w, h, (120, 200), rng, 6, 0.6))
    stone = ramp(
        0.62 + 0.10 * fbm(w, h, 90, rng, 5) - 0.13 * smooth(0.05, 0.0, veins) * smooth(0, 1.2, fbm(w, h, 200, rng, 3)),
        (0, "#8d8580"),
        (0.5, "#d5cabb"),
        (1, "#f4ecdf"),
    )
    stone = linear(stone * (1 - 0.12 * smooth(0.2, 1.2, fbm(w, h, 26, rng, 5)) * hair)[..., None])
    key = np.clip(n @ light, 0, 1) * shadow
    key = 0.75 * key + 0.25 * blur(key, 5)  # subsurface scattering
    fill = np.clip(n @ vec(0.85, 0.10, 0.45), 0, 1) ** 1.5
    ambient = np.clip(1 - 1.15 * hollow, 0.12, 1)
    lit = stone * (
        key[..., None] * vec(2.0, 1.66, 1.26)
        + (fill * ambient)[..., None] * vec(0.10, 0.20, 0.30)
        + (0.07 * ambient)[..., None]
    )
    half_way = light + vec(0, 0, 1)
    lit += (0.16 * shadow * np.clip(n @ (half_way / np.linalg.norm(half_way)), 0, 1) ** 36)[..., None]
    glow = np.exp(-(((x - 0.60) / 0.30) ** 2) - ((y - 0.42) / 0.34) ** 2)
    wall = linear(
        ramp(
            0.25 + 0.6 * glow + 0.12 * fbm(w, h, 200, rng, 7, 0.6),
            (0, "#0f1a1d"),
            (0.5, "#2f4a4a"),
            (0.8, "#6f7a62"),
            (1, "#a3936a"),
        )
    )
    return picture_of(tone_map(mix(wall, lit, inside), rng, 0.5), width, height)


def _head(x: Array, y: Array, rng: Rng) -> tuple[Array, Array]:
    """(Depth [H,W] of the head about its middle, hair mask [H,W])."""
    turn = 0.34
    v = y / 0.25  # -1 crown, 1 chin
    side = np.interp(
        v,
        (-1.02, -0.98, -0.85, -0.6, -0.3, 0, 0.25, 0.5, 0.72, 0.88, 0.97, 1.02),
        (0, 0.25, 0.60, 0.88, 0.99, 1.0, 0.955, 0.82, 0.62, 0.42, 0.24, 0.0),
    ).astype(np.float32)
    cheeks = blur(side[:, :1], 9) * 0.158
    q = np.clip(x / np.maximum(cheeks, 1e-4), -1.5, 1.5)
    skull = np.where(np.abs(q) < 1, np.sqrt(np.maximum(1 - q * q, 0)) * np.maximum(cheeks, 0) * 1.12, -1)
    u = np.arcsin(np.clip(q, -1, 1)) + turn  # longitude: the face is turned to the left, towards the light

    def bump(cu: float, cv: float, su: float, sv: float, lift: float, lean: float = 0.0) -> Array:
        du, dv = u - cu, v - cv - lean * (u - cu)
        return np.float32(lift) * np.exp(-((du / su) ** 2) - (dv / sv) ** 2)

    face = bump(0, -0.52, 0.55, 0.22, 0.010) + bump(0, 0.30, 0.36, 0.26, 0.016)
    ridge = smooth(-0.16, 0.27, v) ** 1.3 * smooth(0.335, 0.275, v)
    face += 0.062 * ridge * np.exp(-((u / (0.085 + 0.05 * smooth(0.05, 0.3, v))) ** 2)) + bump(
        0, -0.10, 0.085, 0.12, 0.010
    )
    face += bump(0, 0.245, 0.085, 0.05, 0.012)
    face += bump(0, 0.43, 0.05, 0.06, -0.005)
    face += bump(0, 0.80, 0.20, 0.10, 0.022) + bump(0, 0.64, 0.20, 0.045, -0.010)
    bow = 0.470 + 0.012 * np.cos(np.clip(u / 0.24, -1, 1) * 3 * np.pi / 1.2) * (np.abs(u) < 0.3)
    face += 0.017 * np.exp(-((u / 0.24) ** 2) - ((v - bow) / 0.030) ** 2) + bump(0, 0.558, 0.18, 0.038, 0.021)
    part = 0.512 + 0.010 * np.cos(u * 14)
    face += -0.017 * np.exp(-((u / 0.28) ** 4) - ((v - part) / 0.011) ** 2)
    for s in (-1, 1):
        face += bump(s * 0.125, 0.275, 0.050, 0.048, 0.016) + bump(s * 0.075, 0.325, 0.035, 0.016, -0.013)
        face += (
            bump(s * 0.32, 0.515, 0.05, 0.05, -0.006)
            + bump(s * 0.62, 0.20, 0.22, 0.16, 0.012)
            + bump(s * 0.55, 0.52, 0.22, 0.18, -0.005)
        )
        face += bump(s * 0.38, -0.05, 0.21, 0.12, -0.027) + bump(s * 0.17, -0.03, 0.07, 0.10, -0.010)
        arch = -0.205 + 0.55 * (np.abs(u) - 0.42) ** 2
        face += 0.016 * np.exp(-(((u - s * 0.40) / 0.24) ** 4) - ((v - arch) / 0.055) ** 2)
        du, dv = (u - s * 0.385) / 0.19, v + 0.035
        eye = np.clip(1 - du**2, 0, 1)
        upper, lower = -0.060 * eye**0.6, 0.040 * eye**0.7
        face += 0.015 * np.sqrt(np.clip(1 - (du / 1.05) ** 2 - (dv / 0.095) ** 2, 0, 1))
        face += (
            (
                0.007 * np.exp(-(((dv - upper + 0.012) / 0.014) ** 2))
                - 0.007 * np.exp(-(((dv - upper - 0.008) / 0.008) ** 2))
            )
            * (eye > 0)
            * eye**0.3
        )
        face += (
            (
                0.003 * np.exp(-(((dv - lower - 0.012) / 0.013) ** 2))
                - 0.003 * np.exp(-(((dv - lower + 0.004) / 0.007) ** 2))
            )
            * (eye > 0)
            * eye**0.3
        )
        face += -0.008 * np.exp(-(((dv - upper + 0.040) / 0.013) ** 2) - du**4)
        iris = np.hypot((u - s * 0.385 + 0.02) / 0.062, (dv + 0.008) / 0.040)
        face += -0.0035 * np.exp(-((iris - 1) ** 2) * 30) - 0.006 * np.exp(-((iris / 0.42) ** 4))
    line = -0.60 + 0.30 * u**2 - 0.06 * np.cos(3 * u) + 0.62 * smooth(0.62, 1.35, np.abs(u))
    hair = np.maximum(smooth(0.03, -0.05, v - line), smooth(0.86, 0.98, np.abs(u)) * smooth(0.62, 0.30, v))
    swirl = 0.8 * noise(x.shape[1], x.shape[0], 90, rng)
    # Combed from a parting above the brow, in waves across the strands.
    away, around = np.hypot(x + 0.05, y + 0.25), np.arctan2(y + 0.25, x + 0.05)
    wave = np.sin(88 * away + 2.4 * np.sin(3 * around) + 1.2 * swirl)
    strand = np.sin(34 * around + 1.5 * wave + 2.0 * swirl)
    crown = hair * (0.022 + 0.0065 * wave + 0.0060 * strand + 0.0022 * np.sin(120 * around + 3.4 * wave + 2 * swirl))
    volume = np.sqrt(np.clip(1 - (x / 0.197) ** 2 - ((y + 0.055) / 0.218) ** 2, 0, 1)) * 0.197 - 0.012
    mass = np.where(hair > 0.02, np.maximum(volume - 0.012, skull) + crown - 0.006, -1)
    bun = np.hypot((x - 0.165) / 0.075, (y - 0.045) / 0.09)
    coil = np.arctan2(y - 0.045, x - 0.165)
    knot = np.where(
        bun < 1,
        np.sqrt(np.maximum(1 - bun**2, 0)) * 0.07
        - 0.05
        + 0.006 * np.sin(15 * bun + 3 * coil)
        + 0.002 * np.sin(60 * bun + 12 * coil),
        -1,
    )
    depth = np.maximum(np.maximum(np.where(skull > 0, skull + face, -1), np.where(volume > -0.011, mass, -1)), knot)
    return depth.astype(np.float32), hair


def _shoulders(x: Array, y: Array, rng: Rng) -> Array:
    """Depth [H,W] of neck, chest and a draped cloth."""
    half = 0.085 + 0.30 * smooth(0.70, 0.92, y) ** 1.4 + 0.05 * smooth(0.64, 0.74, y)
    q = (x - 0.015) / half
    neck = np.where(
        (np.abs(q) < 1) & (y > 0.50),
        np.sqrt(np.maximum(1 - q * q, 0)) * (0.10 + 0.10 * smooth(0.66, 0.95, y)) - 0.06,
        -1,
    )
    cord = (
        0.016
        * np.exp(-(((x + 0.055 - 0.32 * (y - 0.70)) / 0.016) ** 2))
        * smooth(0.55, 0.62, y)
        * smooth(0.80, 0.72, y)
    )
    cord += (
        0.010 * np.exp(-(((x - 0.07 + 0.20 * (y - 0.70)) / 0.016) ** 2)) * smooth(0.58, 0.66, y) * smooth(0.80, 0.74, y)
    )
    cord += (
        0.010
        * np.exp(-(((y - 0.80 + 0.10 * np.abs(x)) / 0.012) ** 2))
        * smooth(0.02, 0.10, np.abs(x))
        * smooth(0.3, 0.2, np.abs(x))
    )
    s = y - 0.80 - 0.38 * np.abs(x + 0.03) ** 1.4 * np.sign(0.2 - x) * 0 + 0.62 * (x - 0.02) * 0.5
    drop = s + 0.03 * np.sin(9 * x)
    folds = 0.018 * np.sin(64 * (drop + 0.10 * x * x) + 5 * np.sin(7 * x + 2)) + 0.010 * np.sin(
        120 * drop - 14 * x + 3 * noise(x.shape[1], x.shape[0], 130, rng)
    )
    cloth = np.where(
        (drop > 0.02) & (np.abs(q) < 1), neck + 0.020 * smooth(0.02, 0.05, drop) + folds * smooth(0.0, 0.09, drop), -1
    )
    return np.maximum(neck + cord * (neck > -0.5), cloth).astype(np.float32)


def _relief_shadow(relief: Array, light: Array, steps: int) -> Array:
    """[H,W] 1 where `light` (right, down, towards the viewer) reaches the height field, 0 in its soft shadow."""
    h, w = relief.shape
    ys, xs = np.mgrid[0:h:2, 0:w:2]
    base = relief[::2, ::2] + 1.0
    clear = np.ones_like(base)
    for k in range(1, steps):
        reach = 2.5 * k + 0.05 * k * k
        over = (
            relief[np.clip(ys + int(light[1] * reach), 0, h - 1), np.clip(xs + int(light[0] * reach), 0, w - 1)]
            - base
            - light[2] * reach
        )
        clear = np.minimum(clear, 1 - np.clip(over / (1.5 + 0.10 * reach) + 0.3, 0, 1))
    return blur(np.repeat(np.repeat(clear, 2, 0), 2, 1)[:h, :w], 2)
