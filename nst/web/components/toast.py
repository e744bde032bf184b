"""The message in the corner of the page that says what failed."""

from dash import set_props

from nst.web import ids

REQUEST_FAILED = "The request failed"  # heading where nothing more exact is known


def show_error(message: str, failed: str = REQUEST_FAILED) -> None:
    """Show `message` under a heading that names what failed. To be called from a callback."""
    set_props(ids.TOAST, {"is_open": True, "header": failed, "children": message})


def hide() -> None:
    """Hide the message. To be called from a callback."""
    set_props(ids.TOAST, {"is_open": False})
