"""Who may change what: runs and variations by their owner; fast styles and downloads of weights, which have none."""

from nst.errors import Forbidden


def check_owner(owner: str, client: str, what: str) -> None:
    """Check that `client`, "" where nobody shares the studio, is the owner of `what`. Raises Forbidden."""
    if client not in ("", owner):
        raise Forbidden(f"{what} is another client's: only the client that began it may change it")


class Permissions:
    """The permissions of a studio; `shared`: several people use it, so visitors may not change what belongs to all."""

    def __init__(self, shared: bool) -> None:
        self._shared = shared

    def check_cancel_fetch(self) -> None:
        """Check that a visitor may cancel the download of a network's weights. Raises Forbidden."""
        if self._shared:
            raise Forbidden(
                "several people share this studio: only its operator may cancel downloads, with NST_OFFLINE=1"
            )

    def check_change_styles(self) -> None:
        """Check that a visitor may add, rename and remove fast styles. Raises Forbidden."""
        if self._shared:
            raise Forbidden("several people share this studio: only its operator changes its styles, with `nst styles`")
