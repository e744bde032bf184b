"""The client whose request is handled, for code that has no request at hand: services and Dash's callbacks."""

from contextvars import ContextVar

CLIENT: ContextVar[str] = ContextVar("client", default="")  # set by the middleware `Clients`


def current_client() -> str:
    """Return the id of the client whose request is handled, also in Dash callbacks; "" if the studio is not shared."""
    return CLIENT.get()
