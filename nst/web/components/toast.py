"""The message in the corner of the page that says what failed."""

import re

from dash import set_props

from nst.errors import NstError, OptionError
from nst.web import ids
from nst.web.components.form.option_fields import plain_error


def message_of(error: NstError) -> str:
    """Return what the page says of an error: options go by their labels, and what else is in code style as words."""
    if not isinstance(error, OptionError):
        return str(error)
    return re.sub(r"`(\w+)`", lambda name: name[1].replace("_", " ").capitalize(), plain_error(error))


def show_error(error: NstError | str, failed: str) -> None:
    """Show an error or a message under a heading that names what failed. To be called from a callback."""
    message = message_of(error) if isinstance(error, NstError) else error
    message = f"{message[:1].upper()}{message[1:]}"
    set_props(ids.TOAST, {"is_open": True, "header": failed, "children": message})


def hide() -> None:
    """Hide the message. To be called from a callback."""
    set_props(ids.TOAST, {"is_open": False})
