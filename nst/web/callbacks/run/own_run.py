"""What the buttons of a run have in common: each acts on the run in the address, if it is the client's own."""

import asyncio
from collections.abc import Callable
from typing import Any

from dash import no_update

from nst.errors import NstError
from nst.runs.run import Run
from nst.web.components.poll_now import poll_now
from nst.web.components.toast import show_error
from nst.web.components.urls import run_id_of
from nst.web.service.service import Service


async def change_run(service: Service, search: str | None, change: Callable[[Run], object], failed: str) -> Any:
    """Change the run that an address names; an error is shown under the heading `failed`.

    Returns `disabled` of the button, which assets/buttons.js has disabled: False after an error, else no update, since
    the next event of the run sets it. `change` is called in a thread.
    """
    try:
        await asyncio.to_thread(lambda: change(service.runs.owned(run_id_of(search))))
    except NstError as error:
        show_error(error, failed)
        return False
    poll_now()
    return no_update


async def start_child(service: Service, search: str | None, start: Callable[[Run], Run], failed: str) -> Any:
    """Start a run from the one that an address names; an error is shown under the heading `failed`.

    Returns the query of the address that shows the new run, or no update. `start` is called in a thread.
    """
    try:
        child = await asyncio.to_thread(lambda: start(service.runs.owned(run_id_of(search))))
    except NstError as error:
        show_error(error, failed)
        return no_update
    return f"?run={child.id}"
