"""The roles of the pictures of a run: the content, one to four paintings, a picture to start from, and a mask."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

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


def as_fields(pictures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a run or job for its pictures by role; the inverse of `by_role`."""
    more_styles = tuple(pictures[role] for role in STYLE_ROLES[1:] if role in pictures)
    return {"init": None, **{r: p for r, p in pictures.items() if r not in STYLE_ROLES[1:]}, "more_styles": more_styles}
