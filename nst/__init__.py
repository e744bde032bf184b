"""A neural style transfer studio. The public names load on first use, so that `import nst` is quick.

from nst import StyleOptions, read_file, stylize

content, style = read_file("photo.jpg"), read_file("painting.jpg")
for step in stylize(content.rgb, style.rgb, StyleOptions(epochs=40)):
    ...  # step.losses, step.image
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nst.engine.feed_forward.apply_style import apply_style as apply_style
    from nst.engine.optimization.optimize import stylize as stylize
    from nst.engine.optimization.step import Step as Step
    from nst.options.style_options import StyleOptions as StyleOptions
    from nst.pictures.images import encode_png as encode_png
    from nst.pictures.images import read_file as read_file

_MODULES = {
    "Step": "nst.engine.optimization.step",
    "StyleOptions": "nst.options.style_options",
    "apply_style": "nst.engine.feed_forward.apply_style",
    "encode_png": "nst.pictures.images",
    "read_file": "nst.pictures.images",
    "stylize": "nst.engine.optimization.optimize",
}
__all__ = ["Step", "StyleOptions", "apply_style", "encode_png", "read_file", "stylize"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'nst' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
