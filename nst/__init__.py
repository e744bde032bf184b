"""A neural style transfer studio. The public names load on first use, so that importing this costs nothing.

from nst import StyleOptions, read_file, stylize

content, style = read_file("photo.jpg"), read_file("painting.jpg")
for step in stylize(content.rgb, style.rgb, StyleOptions(epochs=40)):
    ...  # step.losses, step.image
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nst.engine.optimize import Step as Step
    from nst.engine.optimize import stylize as stylize
    from nst.fast import apply_style as apply_style
    from nst.images import encode_png as encode_png
    from nst.images import read_file as read_file
    from nst.options import StyleOptions as StyleOptions

_HOMES = {
    "Step": "nst.engine.optimize",
    "StyleOptions": "nst.options",
    "apply_style": "nst.fast",
    "encode_png": "nst.images",
    "read_file": "nst.images",
    "stylize": "nst.engine.optimize",
}
__all__ = ["Step", "StyleOptions", "apply_style", "encode_png", "read_file", "stylize"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nst' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
