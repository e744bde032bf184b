"""Callbacks that start and stop a run, and the poll that brings its events to the page.

Polls are sent one at a time, whatever the network does (assets/poll.js): `poll.send` -> POLL_REQUEST -> callback
`poll`, which waits for events -> the page and POLL_ANSWER -> `poll.received`, which sends the next one: at once if a
change is expected, else after a while. Callbacks that act on a run end that while (`poll_now`).
All that the page shows of a run is the output of `poll` alone: one request brings it, of one moment.
"""

import asyncio
from contextlib import suppress
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from nst.errors import Conflict, InputError, NotFound, NstError, OptionError
from nst.options.picture_roles import STYLE_ROLES, by_role
from nst.options.style_options import StyleOptions
from nst.runs.humanize import count, ordinal
from nst.runs.run import Run
from nst.runs.run import State as RunState
from nst.web import follow, ids
from nst.web.callbacks.form.whole_form import FORM_STATE, read_options
from nst.web.callbacks.run.own_run import change_run
from nst.web.components import toast
from nst.web.components.form.chooser import chosen_ref
from nst.web.components.form.option_fields import BOXES
from nst.web.components.poll_now import poll_now
from nst.web.components.run.run_view import OUTPUTS, run_view, server_view
from nst.web.components.urls import run_id_of
from nst.web.current_client import current_client
from nst.web.service.runs import MOST_NAMED_RUNS
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    _register_start(app, service)
    _register_stop(app, service)
    _register_poll(app, service)


def _register_start(app: Dash, service: Service) -> None:
    fields = {"content": "content", "style": "style", "mask": "mask", **BOXES}

    # A slider reaches its text box by a callback of its own, which may still wait when Start is pressed. This callback
    # runs in the browser after that one; its answer then calls `start`, which reads the form.
    app.clientside_callback(
        ClientsideFunction("buttons", "requestStart"),
        Output(ids.START_REQUEST, "data"),
        Input(ids.START, "n_clicks"),
        Input(ids.RESTART, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("form", "showField"), Input(ids.WRONG_FIELD, "data"), prevent_initial_call=True
    )

    @app.callback(
        output={
            "search": Output(ids.URL, "search"),
            "batch": Output(ids.BATCH, "data"),
            "added": Output(ids.ADDED, "children"),
            "errors": {
                name: Output(ids.error(field), "children", allow_duplicate=True) for name, field in fields.items()
            },
            "wrong": Output(ids.WRONG_FIELD, "data"),
        },
        inputs={"request": Input(ids.START_REQUEST, "data")},
        state={"search": State(ids.URL, "search"), **FORM_STATE},
        prevent_initial_call=True,
    )
    async def start(
        request: dict[str, Any], search: str | None, choices: dict[str, Any], values: dict[str, Any]
    ) -> dict[str, Any]:
        """Start a run of each chosen photograph and show the first one.

        While the run that is shown is painted or waits, they only join the queue. Restart stops that run instead, and
        takes its place.
        """
        runs, message, wrong = await asyncio.to_thread(start_each, service, values, choices)
        if message:
            toast.show_error(message, "Not every run was started" if runs else "The run was not started")
        else:
            toast.hide()
        errors = {name: message if name == wrong else "" for name in fields}
        field = {"id": BOXES[wrong], "number": request["number"]} if wrong in BOXES else no_update
        if not runs:
            return {"search": no_update, "batch": no_update, "added": "", "errors": errors, "wrong": field}
        poll_now()
        current, restart = run_id_of(search), request["restart"]
        if restart:
            await asyncio.to_thread(service.runs.to_the_front, runs)
            await asyncio.to_thread(stop_if_own, service, current)
        stay = not restart and await asyncio.to_thread(is_active, service, current)
        created = await asyncio.to_thread(service.store.created_count)
        batch = {"runs": [run.id for run in runs], "created": created}
        return {
            "search": no_update if stay else f"?run={runs[0].id}",
            "batch": batch if len(runs) > 1 else no_update,
            "added": await asyncio.to_thread(added_text, service, runs) if stay else "",
            "errors": errors,
            "wrong": field,
        }


def start_each(service: Service, values: dict[str, Any], choices: dict[str, Any]) -> tuple[list[Run], str, str]:
    """Start a run of each photograph that is chosen for the content.

    Returns (the runs, why there are not more of them or "", the field or the role that is wrong or "").
    """
    runs: list[Run] = []
    count, role = 1, ""
    try:
        options = StyleOptions.from_json(read_options(values, choices))
        for role in ("content", "style"):
            chosen_ref(role, choices[role])
        role = ""
        contents = [choices["content"], *choices["content"].get("more", ())]
        count = len(contents)
        if count > MOST_NAMED_RUNS:
            role = "content"
            raise InputError(f"at most {MOST_NAMED_RUNS} photographs can be painted together, got {count}")
        for content in contents:
            runs.append(start_one(service, options, {**choices, "content": content}))  # noqa: PERF401 it may raise
    except NstError as error:
        said = toast.message_of(error)
        message = f"{len(runs)} of {count} are queued, not the others: {said}" if runs else said
        return runs, message, error.option if isinstance(error, OptionError) else role
    return runs, "", ""


def start_one(service: Service, options: StyleOptions, choices: dict[str, Any]) -> Run:
    """Start a run of chosen pictures, by role. Raises as `Runs.start`."""
    init = choices["init"] if options.init == "image" else None
    paintings = [choices[role] for role in STYLE_ROLES if choices[role]]
    chosen = by_role(choices["content"], paintings, init, choices["mask"])
    return service.runs.start(
        options,
        choices["content"]["ref"],
        choices["style"]["ref"],
        init and init["ref"],
        mask=choices["mask"]["ref"] if choices["mask"] else None,
        more_styles=[painting["ref"] for painting in paintings[1:]],
        names={role: str(choice["title"]) for role, choice in chosen.items()},
        client=current_client(),
    )


def added_text(service: Service, runs: list[Run]) -> str:
    """Return what the page says of runs that joined the queue."""
    position = service.runs.queue_positions().get(runs[0].id)
    where = f": {ordinal(position)} in line" if position else ""
    return f"{count(len(runs), 'run')} added to the queue{where}."


def is_active(service: Service, run_id: str) -> bool:
    """Return whether there is such a run, and it is painted or waits."""
    with suppress(NotFound):
        return not service.store.run(run_id).state.rests
    return False


def stop_if_own(service: Service, run_id: str) -> None:
    """Stop a run unless it has ended or is another client's."""
    with suppress(NotFound, Conflict):
        service.queue.stop(service.runs.owned(run_id).id)


def _register_stop(app: Dash, service: Service) -> None:
    @app.callback(
        Output(ids.STOP, "disabled", allow_duplicate=True),
        Input(ids.STOP, "n_clicks"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def stop(clicks: int, search: str) -> Any:
        return await change_run(service, search, lambda run: service.queue.stop(run.id), "The run was not stopped")


def _register_poll(app: Dash, service: Service) -> None:
    app.clientside_callback(ClientsideFunction("poll", "send"), Input(ids.URL, "search"))
    app.clientside_callback(ClientsideFunction("poll", "wake"), Input(ids.POLL_WAKE, "data"), prevent_initial_call=True)
    app.clientside_callback(
        ClientsideFunction("poll", "received"), Input(ids.POLL_ANSWER, "data"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("batch", "show"),
        Output(ids.BATCH_BAR, "hidden"),
        Output(ids.BATCH_TEXT, "children"),
        Output(ids.BATCH_LINK, "children"),
        Output(ids.BATCH_LINK, "href"),
        Input(ids.SERVER, "data"),
        Input(ids.BATCH, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("notifications", "followQueue"), Input(ids.SERVER, "data"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("batch", "close"),
        Output(ids.BATCH, "data", allow_duplicate=True),
        Input(ids.BATCH_CLOSE, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("runQueue", "built"), Input(ids.RUN_QUEUE, "children"), prevent_initial_call=True
    )
    app.clientside_callback(ClientsideFunction("player", "play"), Input(ids.FRAMES, "data"), prevent_initial_call=True)

    @app.callback(
        output={
            "answered": Output(ids.POLL_ANSWER, "data"),
            "shown": {name: Output(*place, allow_duplicate=True) for name, place in OUTPUTS.items()},
        },
        inputs={"request": Input(ids.POLL_REQUEST, "data")},
        state={"search": State(ids.URL, "search"), "cursor": State(ids.CURSOR, "data")},
        prevent_initial_call=True,
    )
    async def poll(request: int, search: str | None, cursor: dict[str, Any]) -> dict[str, Any]:
        run_id = run_id_of(search)
        asked_before = cursor["run"] == run_id
        server = cursor["server"] if asked_before else None
        update = await follow.follow(service, run_id, cursor["n"] if asked_before else 0, server)
        # A page that shows a run has its first event. Since the last answer it may have been deleted or restored.
        attached = asked_before and (update.run is not None) == (cursor["n"] > 0)
        if attached and any(event["kind"] == "started" for event in update.events):
            # Size and network are known now: what depends on them is built again.
            update, attached = await follow.follow(service, run_id, 0, None), False
        if update.run and update.events and update.run.state is RunState.FAILED:
            toast.show_error(update.run.error, "The run failed")
        shown = dict.fromkeys(OUTPUTS, no_update) | run_view(update, attached)
        shown |= server_view(update, server if attached else None)
        last = update.events[-1]["n"] if update.events else cursor["n"] if attached else 0
        return {
            "answered": {"n": request, "expecting": update.expecting},
            "shown": shown | {"cursor": {"run": run_id, "n": last, "server": update.server}},
        }
