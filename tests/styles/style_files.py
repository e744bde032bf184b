"""Small style files."""

import io
import zipfile

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


def old_style_file(grain: bool = True) -> bytes:
    """A file as the first version wrote it, of a narrower network; made without the writer of today."""
    widths, blocks, random = (8, 24, 48, 96), 4, np.random.default_rng(0)
    ins, outs = (3 + grain, *widths[:-1]), widths
    kernels = {f"down{n}": (3, 3, *pair) for n, pair in enumerate(zip(ins, outs, strict=True))}
    kernels |= {f"block{n}{part}": (3, 3, 96, 96) for n in range(blocks) for part in "ab"}
    kernels |= {f"up{n}": (3, 3, widths[n + 1], widths[n]) for n in (2, 1, 0)} | {"end": (3, 3, 8, 3)}
    length = 2 * sum(shape[-1] for shape in kernels.values()) + widths[0] + widths[2]
    arrays = {f"kernel/{name}": random.normal(0, 0.1, shape).astype("<f2") for name, shape in kernels.items()}
    arrays |= {name: random.normal(0.5, 0.2, length).astype("<f4") for name in ("own", "style/waves")}
    header = (
        '{"format": 1, "plan": {"widths": [8, 24, 48, 96], "blocks": 4, "first": 3, "last": 3, "skips": [0, 2], '
        f'"grain": {str(grain).lower()}}}, "styles": {{"waves": {{"title": "The waves", "provenance": '
        '{"learned_from": "a woodcut", "nst": "0.1.0", "steps": 8071, "losses": {"total": 2.043}}}}}'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", header)
        for name, array in arrays.items():
            fields = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
            fields += " " * (-(11 + len(fields)) % 64) + "\n"
            start = b"\x93NUMPY\x01\x00" + len(fields).to_bytes(2, "little") + fields.encode()
            archive.writestr(f"{name}.npy", start + array.tobytes())
        archive.writestr("picture/waves.jpg", painting())
    return buffer.getvalue()
