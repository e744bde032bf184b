"""Small style files."""

import io

import numpy as np
from PIL import Image

from nst.styles.network_plan import Plan
from nst.styles.style_file import Style, StyleFile

PLAN = Plan(widths=(4, 6), blocks=1, first=3, last=3, skips=(0,))


def painting(colour: str = "teal", format: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (24, 16), colour).save(file, format)
    return file.getvalue()


def style_file(*names: str, seed: int = 0) -> StyleFile:
    """A tiny network with a style of each name; those of one seed can be mixed."""
    random = np.random.default_rng(seed)
    kernels = {unit.name: random.normal(0, 0.1, unit.shape).astype(np.float16) for unit in PLAN.units}
    styles = {
        name: Style(f"The {name}", PLAN.neutral() + np.float32(place), {"painting": name}, painting())
        for place, name in enumerate(names or ("waves",))
    }
    return StyleFile(PLAN, kernels, PLAN.neutral(), styles)
