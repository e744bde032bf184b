"""Callbacks of the card that steers a run. Changes take effect at the run's next step.

For a run that has ended, they are applied when it is continued or branched.
"""

import asyncio
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from nst.errors import NotFound, NstError
from nst.web import ids
from nst.web.components.poll_now import poll_now
from nst.web.components.run.steering import changes, validate
from nst.web.components.toast import message_of
from nst.web.components.urls import run_id_of
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("steering", "collect"),
        Input(ids.steer(ALL, "box", ALL), "value"),
        State(ids.steer(ALL, "box", ALL), "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("steering", "reset"),
        Output(ids.STEER_MOVED, "data"),
        Input(ids.STEER_FIELDS, "children"),
        prevent_initial_call=True,
    )

    app.clientside_callback(
        ClientsideFunction("steering", "received"), Input(ids.STEER_ANSWER, "data"), prevent_initial_call=True
    )

    @app.callback(
        Output(ids.STEER_ERROR, "children"),
        Output(ids.STEER_ANSWER, "data"),
        Input(ids.STEER_CHANGES, "data"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def steer(request: dict[str, Any], search: str | None) -> tuple[str, int]:
        """Steer an active run; for a run that has ended, only check the values. Returns error messages or ""."""
        errors: list[str] = []
        try:
            run = await asyncio.to_thread(service.runs.owned, run_id_of(search))
            texts, errors = validate(run, request["values"])
            wanted = changes(run, texts)
            if wanted and not run.state.ended:
                await asyncio.to_thread(service.runs.steer, run.id, wanted)
                poll_now()
        except NotFound:
            pass
        except NstError as error:
            errors.append(message_of(error))
        return " ".join(errors), request["number"]
