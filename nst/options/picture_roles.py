"""The roles of the pictures of a run: one content, one to four paintings, and a picture to start from."""

from collections.abc import Iterable
from typing import TypeVar

STYLE_ROLES = ("style", "style2", "style3", "style4")  # of the paintings
MOST_STYLES = len(STYLE_ROLES)
ROLES = ("content", *STYLE_ROLES, "init")

Picture = TypeVar("Picture")


def by_role(content: Picture, styles: Iterable[Picture], init: Picture | None) -> dict[str, Picture]:
    """Return the pictures of a run by role, without those that it does not have."""
    pictures = {"content": content, **dict(zip(STYLE_ROLES, styles, strict=False)), "init": init}
    return {role: picture for role, picture in pictures.items() if picture}
