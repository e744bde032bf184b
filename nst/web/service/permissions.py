"""What visitors may change of that which has no owner: fast styles, and downloads of weights."""

from nst.errors import Conflict


class Permissions:
    """The permissions of a studio; `shared` means that several people use it, who must not spoil it for each other."""

    def __init__(self, shared: bool) -> None:
        self._shared = shared

    def check_cancel_fetch(self) -> None:
        """Check that a visitor may cancel the download of a network's weights. Raises Conflict."""
        if self._shared:
            raise Conflict("several people share this studio: only who runs it does without a network (NST_OFFLINE=1)")

    def check_change_styles(self) -> None:
        """Check that a visitor may add, rename and remove fast styles. Raises Conflict."""
        if self._shared:
            raise Conflict("several people share this studio: only who runs it changes its styles (`nst styles`)")
