"""The roles of the pictures of a run: the content, one to four paintings, a picture to start from, and a mask."""

from collections.abc import Iterable
from typing import TypeVar

STYLE_ROLES = ("style", "style2", "style3", "style4")  # of the paintings
MOST_STYLES = len(STYLE_ROLES)
ROLES = ("content", *STYLE_ROLES, "init", "mask")

Picture = TypeVar("Picture")


def by_role(
    content: Picture, styles: Iterable[Picture], init: Picture | None, mask: Picture | None = None
) -> dict[str, Picture]:
    """Return the pictures of a run by role, without those that it does not have."""
    pictures = {"content": content, **dict(zip(STYLE_ROLES, styles, strict=False)), "init": init, "mask": mask}
    return {role: picture for role, picture in pictures.items() if picture}
