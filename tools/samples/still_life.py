"""A content picture: sphere-traced fruit, a jug and a bottle by a window. Light is linear until it is tone mapped."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from tools.samples.canvas import (
    Array,
    Rng,
    fbm,
    linear,
    normals,
    picture_of,
    plane,
    ramp,
    rgb,
    sample,
    smooth,
    stack,
    tone_map,
    vec,
)
from tools.samples.solids import Solid, apple, bunch, pear, revolved, trace

EYE, TILT, FOCAL = vec(-0.02, 1.30, -4.2), 0.185, 3.0


def still_life() -> Image.Image:
    """Draw fruit, a jug and a bottle on a table by a window, with soft shadows and indirect light."""
    rng, (width, height), (w, h) = np.random.default_rng(12), (768, 576), (1088, 816)
    x, y = plane(w, h)
    rays = stack([x - w / h / 2, 0.5 - y, np.full_like(x, FOCAL / 2)])
    rays = stack(
        [
            rays[..., 0],
            rays[..., 1] * np.cos(TILT) - rays[..., 2] * np.sin(TILT),
            rays[..., 2] * np.cos(TILT) + rays[..., 1] * np.sin(TILT),
        ]
    )
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    place, normal, colour, gloss = _room(rays, w, h, rng)
    depth = np.linalg.norm(place - EYE, axis=-1)
    solids = _table(rng)
    for solid in solids:
        trace(solid, EYE, rays, depth, place, normal, colour, gloss)
    return picture_of(
        tone_map(_window_light(solids, rays, place, normal, linear(colour), gloss) * 0.9, rng, 0.45), width, height
    )


def _room(rays: Array, w: int, h: int, rng: Rng) -> tuple[Array, Array, Array, Array]:
    """(Positions, normals, colors, gloss) of the table top, a linen cloth and the plaster wall behind."""
    down = np.where(rays[..., 1] < -1e-3, -EYE[1] / np.minimum(rays[..., 1], -1e-3), 99)
    wall = (1.7 - EYE[2]) / rays[..., 2]
    on_table = down < wall
    place = EYE + rays * np.where(on_table, down, wall)[..., None]
    px, pz = place[..., 0], place[..., 2]
    field = fbm(1600, 1200, 130, rng, 6)
    grain = fbm(1200, 1200, (420, 7), rng, 5, 0.6)
    wood = sample(grain, (px * 190 + 600) % 1198, (pz * 240 + 700) % 1198)
    table = ramp(0.5 + 0.15 * wood, (0, "#24140d"), (0.5, "#4d2d1b"), (1, "#7a5234"))
    plaster = ramp(
        0.5 + 0.2 * sample(field, px * 150 + 800, place[..., 1] * 150 + 200),
        (0, "#4b5048"),
        (0.5, "#6d6f60"),
        (1, "#8f8a72"),
    )
    bump = normals(sample(field, px * 260 + 800, place[..., 1] * 260 + 300) * 0.5)
    normal = np.where(on_table[..., None], vec(0, 1, 0), stack([bump[..., 0], -bump[..., 1], -bump[..., 2]]))
    # The cloth lies on the near left of the table; its folds are a height field over the table's plane.
    edge = pz + 0.62 + 0.62 * px + 0.10 * np.sin(4.1 * px + 0.4) + 0.05 * np.sin(9.3 * px)
    cloth = on_table & (edge < 0)

    def fold(a: Array, b: Array) -> Array:
        u = a * 0.8 + b * 0.6
        return (
            0.045 * np.sin(7 * u + 2.2 * np.sin(2.3 * b + a))
            + 0.03 * np.sin(13 * u - 3 * a + 2 * np.sin(3 * a))
            + 0.02 * np.sin(23 * b + 5 * a)
        )

    e = 0.01
    slope_x, slope_z = (fold(px + e, pz) - fold(px - e, pz)) / (2 * e), (fold(px, pz + e) - fold(px, pz - e)) / (2 * e)
    hem = smooth(-0.05, 0.0, edge)
    weave = 0.10 * np.sin(px * 420) * np.sin(pz * 420)
    folded = stack([-slope_x + weave, np.ones_like(px), -slope_z - 0.9 * hem + weave])
    folded /= np.linalg.norm(folded, axis=-1, keepdims=True)
    linen = ramp(0.6 + 4.5 * fold(px, pz), (0, "#a9a294"), (0.6, "#e2dccb"), (1, "#f6f1e4"))
    stripe = (np.abs(edge + 0.13) < 0.016) | (np.abs(edge + 0.18) < 0.006)
    linen = np.where(stripe[..., None], linen * rgb("#5a7fb0"), linen)
    normal = np.where(
        cloth[..., None], folded, normal + stack([0.02 * wood, 0 * wood, 0.03 * wood]) * on_table[..., None]
    )
    colour = np.where(cloth[..., None], linen, np.where(on_table[..., None], table, plaster))
    gloss = np.where(cloth, 0.0, np.where(on_table, 0.25, 0.0)).astype(np.float32)
    return place.astype(np.float32), normal.astype(np.float32), colour.astype(np.float32), gloss


def _mottled(rng: Rng, *stops: tuple[float, str], around: float = 3.0, along: float = 3.0) -> Callable[[Array], Array]:
    """A surface of noise, wrapped around the vertical axis."""
    field = fbm(512, 512, (150 / around, 150 / along), rng, 6, 0.62)

    def skin(p: Array) -> Array:
        turn = np.arctan2(p[:, 0], -p[:, 2]) / np.pi
        up = np.arctan2(p[:, 1], np.hypot(p[:, 0], p[:, 2])) / np.pi
        tone = 0.5 + 0.25 * sample(field, 256 + turn * 250, 256 + up * 400) + 0.25 * (p[:, 0] + p[:, 1])
        return ramp(tone, *stops)

    return skin


def _table(rng: Rng) -> list[Solid]:
    """The solids on the table, from the far side to the near one."""
    jug = (
        (-0.60, 0.30),
        (-0.57, 0.34),
        (-0.45, 0.44),
        (-0.22, 0.53),
        (0.02, 0.52),
        (0.25, 0.40),
        (0.45, 0.26),
        (0.58, 0.22),
        (0.72, 0.24),
        (0.80, 0.30),
        (0.82, 0.28),
    )
    bottle = (
        (-0.85, 0.26),
        (-0.82, 0.29),
        (0.10, 0.29),
        (0.26, 0.25),
        (0.40, 0.13),
        (0.50, 0.095),
        (0.88, 0.09),
        (0.885, 0.115),
        (0.97, 0.115),
        (0.98, 0.09),
    )
    plate = ((-0.05, 0.30), (-0.03, 0.42), (0.0, 0.60), (0.025, 0.72), (0.045, 0.73))
    grapes: list[Array] = []
    heap = rng.normal(0, 1, (110, 3)) * [0.26, 0.05, 0.17]
    for point in heap + vec(0, -0.08, 0):
        if all(np.linalg.norm(point - other) > 0.145 for other in grapes):
            grapes.append(np.maximum(point, [-9, -0.10, -9]))
    grapes += [g + np.array([0.03, 0.14, 0.03]) for g in grapes if np.hypot(g[0], g[2]) < 0.24]
    bloom = fbm(512, 512, 60, rng, 5)

    def grape_skin(p: Array) -> Array:
        dust = sample(bloom, 256 + p[:, 0] * 500, 256 + p[:, 1] * 500 + p[:, 2] * 300)
        return ramp(
            0.45 + 0.22 * dust + 0.3 * p[:, 1], (0, "#1d1030"), (0.4, "#47204f"), (0.75, "#7a4a80"), (1, "#a993b8")
        )

    def jug_skin(p: Array) -> Array:
        base = _mottled(np.random.default_rng(2), (0, "#d6cdb8"), (0.5, "#e9e2d0"), (1, "#f3efe2"))(p)
        turn = np.arctan2(p[:, 0], -p[:, 2])
        vine = np.abs(p[:, 1] + 0.10 - 0.07 * np.sin(6 * turn)) < 0.014
        leaf = np.hypot((turn * 6 / np.pi % 1 - 0.5) * 0.30, p[:, 1] + 0.10 + 0.09 * np.sign(np.sin(6 * turn))) < 0.055
        band = (np.abs(p[:, 1] - 0.36) < 0.018) | (np.abs(p[:, 1] + 0.42) < 0.018) | (np.abs(p[:, 1] - 0.77) < 0.02)
        return np.where((vine | leaf | band)[:, None], rgb("#24488f") * (0.8 + 0.4 * base), base)

    def peel(p: Array) -> Array:
        return _mottled(
            np.random.default_rng(6), (0, "#d9700f"), (0.5, "#e8811a"), (1, "#f09a2c"), around=12, along=12
        )(p)

    orange_pores = fbm(512, 512, 9, rng, 2)

    def orange(p: Array) -> Array:
        turn, up = np.arctan2(p[:, 0], -p[:, 2]), np.arctan2(p[:, 1], np.hypot(p[:, 0], p[:, 2]))
        return np.linalg.norm(p, axis=-1) - 0.30 + 0.0009 * sample(orange_pores, 256 + turn * 75, 256 + up * 130)

    red = _mottled(
        rng,
        (0, "#5e0c12"),
        (0.4, "#7f1216"),
        (0.75, "#a3221c"),
        (1.05, "#b5502a"),
        (1.3, "#cf9a44"),
        around=14,
        along=1.6,
    )
    green = _mottled(rng, (0, "#6b7a1c"), (0.45, "#a8ac34"), (0.75, "#cdbb4a"), (1, "#c9803a"), around=6, along=4)
    gold = _mottled(
        rng, (0, "#8f7a1e"), (0.4, "#c9a532"), (0.7, "#dfc050"), (0.9, "#c97f3c"), (1, "#a85a34"), around=9, along=8
    )
    lemon = _mottled(rng, (0, "#d9ae1e"), (0.5, "#e8c42c"), (1, "#f2d850"), around=12, along=12)

    def lemon_shape(p: Array) -> Array:
        u, v = p[:, 0] * 0.86 + p[:, 2] * 0.5, p[:, 2] * 0.86 - p[:, 0] * 0.5
        r = np.hypot(p[:, 1], v)
        taper = np.clip(np.abs(u) / 0.30, 0, 1)
        side = 0.205 * np.sqrt(1 - 0.92 * taper**2) * (1 - 0.25 * taper**3) + 0.010 * np.sin(9 * u)
        return (np.maximum(r - side, np.abs(u) - 0.325) * 0.6).astype(np.float32)

    glass = _mottled(rng, (0, "#0a1a10"), (0.5, "#12301c"), (1, "#25522c"))
    tin = _mottled(rng, (0, "#8c8678"), (0.5, "#a8a294"), (1, "#c0baa8"), around=10, along=10)
    return [
        Solid(
            (0.98, 0.85, 0.75),
            1.05,
            revolved(bottle),
            glass,
            1.0,
            tuple(
                (0, up, 0, radius) for up, radius in ((-0.6, 0.28), (-0.25, 0.28), (0.1, 0.27), (0.5, 0.1), (0.85, 0.1))
            ),
        ),
        Solid(
            (-0.80, 0.60, 0.55),
            0.95,
            revolved(jug),
            jug_skin,
            0.65,
            ((0, -0.25, 0, 0.5), (0, 0.05, 0, 0.5), (0, 0.5, 0, 0.25)),
        ),
        Solid((0.22, 0.05, 0.10), 0.78, revolved(plate), tin, 0.45, ()),
        Solid((0.02, 0.37, 0.30), 0.40, apple(0.33, 0.25), red, 0.55, ((0, 0, 0, 0.32),)),
        Solid((0.58, 0.36, 0.22), 0.80, pear(0.29), gold, 0.35, ((0, 0, 0, 0.29), (0.03, 0.30, 0, 0.17))),
        Solid((0.28, 0.33, -0.15), 0.34, orange, peel, 0.5, ((0, 0, 0, 0.30),)),
        Solid((-0.20, 0.29, -0.22), 0.36, apple(0.28, -0.35), green, 0.55, ((0, 0, 0, 0.28),)),
        Solid((-0.62, 0.24, -0.85), 0.40, lemon_shape, lemon, 0.45, ((0, 0, 0, 0.22),)),
        Solid(
            (0.90, 0.19, -0.55),
            0.95,
            bunch(np.array(grapes, np.float32), 0.09),
            grape_skin,
            0.7,
            ((0, -0.06, 0, 0.17), (0.24, -0.1, 0.05, 0.13), (-0.22, -0.1, 0.05, 0.13), (0.05, -0.1, -0.22, 0.12)),
        ),
        Solid((0.30, 0.28, -1.05), 0.36, apple(0.27, 0.5), red, 0.55, ((0, 0, 0, 0.27),)),
    ]


def _window_light(solids: list[Solid], rays: Array, place: Array, normal: Array, colour: Array, gloss: Array) -> Array:
    """[H,W,3] light at the camera: a window on the left, soft shadows, indirect light, reflections on glossy solids."""
    light = vec(-0.76, 0.56, 0.06)
    light /= np.linalg.norm(light)
    shadow, open_, bounce = np.ones_like(gloss), np.ones_like(gloss), np.zeros_like(colour)
    to_light, own, facing = place @ light, np.einsum("hwc,hwc->hw", place, place), normal @ light
    outward = np.einsum("hwc,hwc->hw", place, normal)
    for solid in solids:
        tint = linear(solid.skin(np.array([[0.05, 0.05, -0.1]], np.float32)))[0]
        for *offset, radius in solid.balls:
            c = np.array(solid.centre, np.float32) + np.array(offset, np.float32)
            b = c @ light - to_light
            d2 = own - 2 * (place @ c) + c @ c
            away = np.sqrt(np.maximum(d2 - b * b, 0))
            spread = 0.02 + 0.13 * np.maximum(b, 0)
            shadow *= 1 - 0.97 * smooth(radius + spread, radius - spread, away) * smooth(0.0, 0.06, b)
            near = np.maximum(normal @ c - outward, 0) / np.sqrt(d2) * radius**2 / np.maximum(d2, radius**2 * 1.02)
            open_ *= 1 - 0.85 * np.minimum(near, 1)
            bounce += (near * 0.34)[..., None] * tint
    table_near = np.clip(-normal[..., 1], 0, 1) * np.exp(-2.2 * place[..., 1])
    bounce += (table_near * 0.20)[..., None] * vec(0.75, 0.52, 0.36)
    facing = np.where(place[..., 2] > 1.69, 0.30 + 1.5 * facing, facing).clip(
        0, 1
    )  # the wall gets light from a second window
    pool = smooth(2.6, 0.2, np.hypot(place[..., 0] + 0.15, place[..., 2] - 0.2)) * 0.55 + 0.45
    beam = smooth(0.5, -0.2, place[..., 0] * 0.55 + place[..., 1] * 0.5 - 1.15)  # the wall darkens to the upper right
    reaching = facing * shadow * pool * np.where(place[..., 2] > 1.69, 0.25 + 0.75 * beam, 1)
    key = reaching[..., None] * vec(2.5, 2.15, 1.66)
    sky = ((0.5 + 0.5 * normal[..., 1]) * open_ * 0.22 + 0.05 * open_)[..., None] * vec(0.75, 0.95, 1.25)
    out = colour * (key + sky + bounce)
    mirrored = rays - 2 * np.einsum("hwc,hwc->hw", rays, normal)[..., None] * normal
    right = np.cross(light, vec(0, 1, 0))
    right /= np.linalg.norm(right)
    u, v, ahead = mirrored @ right, mirrored @ np.cross(right, light), mirrored @ light
    pane = (
        smooth(0.24, 0.19, np.abs(u))
        * smooth(0.30, 0.25, np.abs(v))
        * smooth(0.02, 0.04, np.abs(u))
        * smooth(0.02, 0.04, np.abs(v))
        * (ahead > 0)
    )
    sheen = np.clip(ahead, 0, 1) ** 14 * 0.22
    rim = (1 - np.abs(np.einsum("hwc,hwc->hw", rays, normal))) ** 4
    shine = gloss * (
        (pane * 2.2 * gloss**2 + sheen) * np.clip(shadow, 0.15, 1) * (0.2 + rim) * 2.2 + 0.16 * rim * open_
    )
    return out + shine[..., None] * vec(1.0, 0.97, 0.92)
