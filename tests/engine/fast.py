"""Small networks with random weights, and photos drawn by numbers, for the tests of the fast styles."""

from pathlib import Path

import numpy as np

from nst.engine.feed_forward.transformer import Transformer
from nst.pictures.images import encode_png
from nst.styles.network_plan import Plan
from nst.styles.style_file import Style, StyleFile

TINY = Plan((4, 6, 8), 1, 3, 3, (0,), grain=True)


def transformer(plan: Plan = TINY, styles: int = 3, seed: int = 0) -> Transformer:
    """A network whose styles differ, and whose identity vector is not neutral."""
    found, random = Transformer(plan, styles, seed), np.random.default_rng(seed)
    for weight in (found.styles, found.identity_vector):
        weight.assign(np.asarray(weight) + random.normal(0, 0.3, weight.shape))
    return found


def style_file(plan: Plan = TINY, names: tuple[str, ...] = ("one", "two"), seed: int = 0) -> StyleFile:
    return transformer(plan, len(names), seed).file({name: Style(name.title()) for name in names})


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """[height, width, 3], 0..1, with large forms, edges and some noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / 40 + random.uniform(0, 3, (2, 1, 1))
    waves = np.stack([np.sin(x + y), np.sin(3 * x) * np.cos(2 * y), np.where(np.sin(x) > 0.3, 1.0, -1.0)], -1)
    return np.clip(0.5 + 0.4 * waves + random.normal(0, 0.03, waves.shape), 0, 1).astype(np.float32)


def photos(folder: Path, count: int = 4, side: int = 96) -> Path:
    """`folder` with `count` photos."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (folder / f"{n}.png").write_bytes(encode_png(picture(side, side + 8 * n, seed=n)))
    return folder
