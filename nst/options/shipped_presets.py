"""The looks that the page offers before any single option: named sets of options, the others at their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Look:
    """A look: its title, what it is like, and the options that it sets."""

    title: str
    help: str
    options: Mapping[str, Any]


LOOKS = (
    Look("Subtle", "the photograph, lightly painted", {"strength": 0.3, "content_weight": 2.0}),
    Look("Balanced", "the photograph in the painting's hand", {}),
    Look("Bold", "the painting's strokes before the photograph's detail", {"strength": 4.0, "style_scale": 1.4}),
)
LOOK_OPTIONS = tuple(dict.fromkeys(name for look in LOOKS for name in look.options))  # that some look sets
