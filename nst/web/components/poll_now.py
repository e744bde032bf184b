"""A request to the page to poll at once, because its run or the server has been changed."""

import time

from dash import set_props

from nst.web import ids


def poll_now() -> None:
    """Have the page poll once this callback has ended. To be called from a callback."""
    set_props(ids.POLL_WAKE, {"data": time.time()})
