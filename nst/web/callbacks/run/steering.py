"""Callbacks of the card that steers a run. Changes take effect at the run's next step.

For a run that has ended, they are applied when it is continued or branched.
"""

import asyncio
import threading
from typing import Any
from weakref import WeakValueDictionary

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from nst.errors import NotFound, NstError
from nst.lru_cache import LruCache
from nst.web import ids
from nst.web.components.poll_now import poll_now
from nst.web.components.run.steering import changes, validate
from nst.web.components.toast import message_of
from nst.web.components.urls import run_id_of
from nst.web.service.service import Service

MOST_PAGES = 256  # whose last request is remembered


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    steering = PageSteering(service)
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
        steered, errors = await asyncio.to_thread(steering.steer, run_id_of(search), request)
        if steered:
            poll_now()
        return " ".join(errors), request["number"]


class PageSteering:
    """Steers runs by the numbered requests of pages: one that was overtaken by a newer one of its page has no effect.

    A page waits for the answer to a request before it sends the next one, but not for ever.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._making = threading.Lock()  # held while a lock is looked up
        # By run, as long as somebody has it: held from the look at a request's number until the run is steered.
        self._locks = WeakValueDictionary[str, threading.Lock]()
        self._newest = LruCache[tuple[str, str], int](MOST_PAGES)  # number of the newest request of a run and page

    def steer(self, run_id: str, request: dict[str, Any]) -> tuple[bool, list[str]]:
        """Apply a request, see `ids.STEER_CHANGES`; returns (whether the run is steered, error messages)."""
        errors: list[str] = []
        with self._making:
            lock = self._locks.setdefault(run_id, threading.Lock())
        with lock:
            try:
                run = self._service.runs.owned(run_id)
                key, number = (run_id, str(request.get("page", ""))), int(request["number"])
                if number < (self._newest.get(key) or 0):
                    return False, []
                self._newest.put(key, number)
                texts, errors = validate(run, request["values"])
                wanted = {} if run.state.ended else changes(run, texts, in_force=True)
                return bool(wanted) and self._service.runs.steer(run.id, wanted), errors
            except NotFound:
                return False, []
            except NstError as error:
                return False, [*errors, message_of(error)]
