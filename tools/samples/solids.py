"""Solids as signed distance functions, and the sphere tracing that renders them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.samples.canvas import Array, spline, stack, vec


@dataclass(frozen=True)
class Solid:
    """A solid: its distance function about `centre`, the colors of its surface, its gloss."""

    centre: tuple[float, float, float]
    reach: float  # radius of a bounding sphere
    distance: Callable[[Array], Array]  # [N,3] from the centre -> [N]
    skin: Callable[[Array], Array]  # [N,3] from the centre -> colours [N,3]
    gloss: float
    balls: tuple[tuple[float, float, float, float], ...]  # (x, y, z, radius) about the centre: what casts its shadow


def revolved(profile: tuple[tuple[float, float], ...]) -> Callable[[Array], Array]:
    """The distance to a solid of revolution, given by (height, radius) pairs from the foot upwards."""
    heights, radii = spline(profile, 200).T

    def distance(p: Array) -> Array:
        side = (np.hypot(p[:, 0], p[:, 2]) - np.interp(p[:, 1], heights, radii)) * 0.62
        return np.maximum(side, np.maximum(p[:, 1] - heights[-1], heights[0] - p[:, 1])).astype(np.float32)

    return distance


def ball(radius: float) -> Callable[[Array], Array]:
    """The distance to a sphere."""
    return lambda p: np.linalg.norm(p, axis=-1) - radius


def apple(size: float, lean: float) -> Callable[[Array], Array]:
    """The distance to an apple: a tilted spindle torus, dented at both poles, and a stem."""

    def distance(p: Array) -> Array:
        x, y = p[:, 0] * np.cos(lean) + p[:, 1] * np.sin(lean), p[:, 1] * np.cos(lean) - p[:, 0] * np.sin(lean)
        z = p[:, 2] * np.cos(0.35) + y * np.sin(0.35)
        y = y * np.cos(0.35) - p[:, 2] * np.sin(0.35)
        r = np.hypot(x, z) / (1 + 0.22 * y / size)
        fruit = np.hypot(r - 0.40 * size, y) - 0.62 * size
        stem = np.maximum(np.hypot(x - 0.12 * y, z) - 0.035 * size, np.abs(y - 0.62 * size) - 0.30 * size)
        return np.minimum(fruit * 0.8, stem).astype(np.float32)

    return distance


def pear(size: float) -> Callable[[Array], Array]:
    """The distance to a pear: the smooth union of two spheres, and a stem."""

    def distance(p: Array) -> Array:
        low = np.linalg.norm(p, axis=-1) - size
        q = p - vec(0.10, 1.12, 0.0) * size
        high = np.linalg.norm(q, axis=-1) - 0.52 * size
        k = 0.55 * size
        t = np.clip(0.5 + 0.5 * (high - low) / k, 0, 1)
        bend = p[:, 0] - 0.14 * size - 0.25 * (p[:, 1] - 1.6 * size)
        stem = np.maximum(np.hypot(bend, p[:, 2]) - 0.045 * size, np.abs(p[:, 1] - 1.85 * size) - 0.30 * size)
        return np.minimum((high + (low - high) * t - k * t * (1 - t)) * 0.85, stem).astype(np.float32)

    return distance


def bunch(points: Array, radius: float) -> Callable[[Array], Array]:
    """The distance to equal spheres at `points`: grapes."""
    return lambda p: np.min([np.linalg.norm(p - point, axis=-1) for point in points], 0) - radius


def trace(
    solid: Solid, eye: Array, rays: Array, depth: Array, place: Array, normal: Array, colour: Array, gloss: Array
) -> None:
    """Write `solid` into the buffers where it is nearest, by sphere tracing inside its bounding sphere (Hart 1996)."""
    centre = np.array(solid.centre, np.float32)
    to = centre - eye
    along = rays @ to
    near = np.nonzero(along**2 > to @ to - solid.reach**2)
    ray = rays[near]
    half = np.sqrt(np.maximum(along[near] ** 2 - (to @ to - solid.reach**2), 0))
    t, end = along[near] - half, along[near] + half
    live = np.arange(len(t))
    for _ in range(9):
        for _ in range(5):
            gap = solid.distance(eye + ray[live] * t[live, None] - centre)
            t[live] += gap
        live = live[(np.abs(gap) > 0.001) & (t[live] < end[live])]
        if not len(live):
            break
    p = eye + ray * t[:, None] - centre
    hit = (t < end) & (t < depth[near])
    hit[hit] = solid.distance(p[hit]) < 0.004
    rows, columns, p, t = near[0][hit], near[1][hit], p[hit], t[hit]
    e = np.float32(0.003)
    gradient = stack(
        [solid.distance(p + e * axis) - solid.distance(p - e * axis) for axis in np.eye(3, dtype=np.float32)]
    )
    depth[rows, columns] = t
    place[rows, columns] = p + centre
    normal[rows, columns] = gradient / (np.linalg.norm(gradient, axis=-1, keepdims=True) + 1e-9)
    colour[rows, columns] = solid.skin(p)
    gloss[rows, columns] = solid.gloss
