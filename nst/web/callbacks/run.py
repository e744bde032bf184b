"""Callbacks of the easel: Start, Stop, and the poll that brings every epoch to the page.

The poll goes round like this, one at a time, whatever the network does (assets/poll.js):
clock -> gate -> ASK -> `poll`, which waits for news -> the page, and ANSWERED -> settle, which opens the gate.
"""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update, set_props

from nst.errors import NstError, OptionError
from nst.options.style_options import StyleOptions
from nst.runs.run import Run
from nst.runs.run import State as RunState
from nst.web import follow, ids
from nst.web.callbacks import history, steering
from nst.web.callbacks.inputs import VALUES, chosen, run_id_of
from nst.web.components import figures
from nst.web.components.form import legend, read_form, toast
from nst.web.follow import News
from nst.web.middleware.clients import current_client
from nst.web.service.service import Service

REPLAYED = 12  # frames that a page sees of what happened before it came

SHOWN = {
    "image": (ids.IMAGE, "figure"),
    "loss": (ids.LOSS, "figure"),
    "frames": (ids.FRAMES, "data"),
    "easel": (ids.EASEL, "className"),
    "aspect": (ids.EASEL, "style"),
    "status": (ids.STATUS, "children"),
    "numbers": (ids.NUMBERS, "children"),
    "legend": (ids.LEGEND, "children"),
    "progress": (ids.PROGRESS, "value"),
    "progress_max": (ids.PROGRESS, "max"),
    "start_off": (ids.START, "disabled"),
    "stop_off": (ids.STOP, "disabled"),
    "pause": (ids.PAUSE, "children"),
    "pause_off": (ids.PAUSE, "disabled"),
    "history_hidden": (ids.HISTORY, "hidden"),
    "continue_off": (ids.CONTINUE, "disabled"),
    "to_epoch": (ids.TO_EPOCH, "value"),
    "marks": (ids.MARKS, "children"),
    "lineage": (ids.LINEAGE, "children"),
    "steer_hidden": (ids.STEER, "hidden"),
    "steer_fields": (ids.STEER_FIELDS, "children"),
    "steer_hint": (ids.STEER_HINT, "children"),
    "download": (ids.DOWNLOAD, "href"),
    "download_name": (ids.DOWNLOAD, "download"),
    "download_off": (ids.DOWNLOAD, "disabled"),
    "worker": (ids.WORKER, "children"),
    "worker_class": (ids.WORKER, "className"),
    "studio": (ids.STUDIO, "data"),
    "cursor": (ids.CURSOR, "data"),
}


def register(app: Dash, service: Service) -> None:
    """Attach the callbacks to `app`."""
    _register_start(app, service)
    _register_poll(app, service)

    @app.callback(
        Output(ids.STOP, "disabled", allow_duplicate=True),
        Input(ids.STOP, "n_clicks"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def stop(clicks: int, search: str) -> Any:
        try:
            run = await asyncio.to_thread(service.runs.owned, run_id_of(search))
            await asyncio.to_thread(service.queue.stop, run.id)
        except NstError as error:
            toast(str(error))
            return False
        return no_update


def _register_start(app: Dash, service: Service) -> None:
    fields = {"content": "content", "style": "style", **VALUES}

    @app.callback(
        output={
            "search": Output(ids.URL, "search"),
            "errors": {
                name: Output(ids.error(field), "children", allow_duplicate=True) for name, field in fields.items()
            },
        },
        inputs={"clicks": Input(ids.START, "n_clicks")},
        state={
            "choices": {role: State(ids.choice(role), "data") for role in ("content", "style", "init")},
            "values": {name: State(box, "value") for name, box in VALUES.items()},
        },
        prevent_initial_call=True,
    )
    async def start(clicks: int, choices: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        field = ""
        try:
            options = StyleOptions.from_json(read_form(values))
            refs: dict[str, Any] = {}
            for field in ("content", "style"):
                refs[field] = chosen(field, choices[field])
            field = ""
            init = choices["init"]["ref"] if options.init == "image" and choices["init"] else None
            run = await asyncio.to_thread(service.runs.start, options, **refs, init=init, client=current_client())
        except NstError as error:
            toast(str(error))
            wrong = error.option if isinstance(error, OptionError) else field
            return {"search": no_update, "errors": {name: str(error) if name == wrong else "" for name in fields}}
        set_props(ids.TOAST, {"is_open": False})
        return {"search": f"?run={run.id}", "errors": dict.fromkeys(fields, "")}


def _register_poll(app: Dash, service: Service) -> None:
    app.clientside_callback(
        ClientsideFunction("poll", "gate"),
        Output(ids.ASK, "data"),
        Input(ids.TICK, "n_intervals"),
        Input(ids.URL, "search"),
    )
    app.clientside_callback(
        ClientsideFunction("poll", "settle"), Input(ids.ANSWERED, "data"), prevent_initial_call=True
    )
    app.clientside_callback(ClientsideFunction("player", "play"), Input(ids.FRAMES, "data"), prevent_initial_call=True)

    @app.callback(
        output={
            "answered": Output(ids.ANSWERED, "data"),
            "shown": {name: Output(*place, allow_duplicate=True) for name, place in SHOWN.items()},
        },
        inputs={"ask": Input(ids.ASK, "data")},
        state={"search": State(ids.URL, "search"), "cursor": State(ids.CURSOR, "data")},
        prevent_initial_call=True,
    )
    async def poll(ask: int, search: str | None, cursor: dict[str, Any]) -> dict[str, Any]:
        run_id = run_id_of(search)
        attached = cursor["run"] == run_id
        seen = cursor["studio"] if attached else None
        news = await follow.follow(service, run_id, cursor["n"] if attached else 0, seen)
        if attached and any(event["kind"] == "started" for event in news.events):  # sizes, layers: all anew
            news, attached = await follow.follow(service, run_id, 0, None), False
        if news.run and news.events and news.run.state is RunState.FAILED:
            toast(news.run.error)
        shown = dict.fromkeys(SHOWN, no_update) | run_view(news, attached) | studio_view(news, seen)
        last = news.events[-1]["n"] if news.events else cursor["n"] if attached else 0
        return {"answered": ask, "shown": shown | {"cursor": {"run": run_id, "n": last, "studio": news.studio}}}


def run_view(news: News, attached: bool) -> dict[str, Any]:
    """What the page shows of a run, by the names of SHOWN; `attached` says that it shows what went before."""
    run = news.run
    view: dict[str, Any] = {"status": follow.status(news)}
    if attached and not news.events:
        return view
    going, resting = run is not None and not run.state.rests, run is not None and run.state.rests
    paused = run is not None and run.state is RunState.PAUSED
    return view | {
        **_figures(news, attached),
        **({} if attached else _steering(run)),
        "easel": f"easel easel-{_stage_of(run)}",
        "aspect": {"--width": run.width, "--height": run.height} if run and run.width else {},
        "numbers": follow.numbers(run),
        "legend": legend(run.losses if run else None),
        "progress": str(run.epoch if run else 0),
        "progress_max": str(run.epochs if run else 1),
        "start_off": going,
        "stop_off": not (going or paused),
        "pause": "Resume" if paused else "Pause",
        "pause_off": not (going or paused),
        "history_hidden": run is None or not run.frames,
        "continue_off": not (resting and not paused),
        "to_epoch": history.proposed_end(run) if run else "",
        "steer_hint": steering.RESTING if run and run.state.ended else steering.PAUSED if paused else steering.MOVING,
        "marks": [html.Li(mark) for mark in figures.in_words(run)] if run else [],
        "lineage": history.lineage(run, news.children) if run else [],
        **_download(run),
    }


def _steering(run: Run | None) -> dict[str, Any]:
    """The card that steers: built when a run is attached or its network becomes known, then left to the user."""
    return {"steer_hidden": run is None, "steer_fields": steering.fields(run) if run else []}


def _figures(news: News, attached: bool) -> dict[str, Any]:
    """Figures and frames: whole when a run is attached, patches from then on."""
    run, events = news.run, news.events
    if run is None:
        return {"image": figures.picture(), "loss": figures.losses(), "frames": {"run": "", "play": [], "kept": []}}
    base = f"/api/v1/runs/{run.id}"
    frames = [event["frame"] for event in events if "frame" in event]
    if not attached:
        frames = frames[-REPLAYED:]
    told = {
        "run": run.id,
        "base": base,
        "play": frames,
        "kept": [[frame["epoch"], frame["marked"]] for frame in news.frames],
        "first": run.first,
        "result": f"{base}/result.png?n={run.last}" if run.has_result and run.state.rests else "",
    }
    if attached:
        curve = figures.more_losses(events, run.first, run.epochs)
        return {"image": no_update, "loss": curve, "frames": told}
    size = (run.width or 4, run.height or 3)
    source = f"{base}/frames/{frames[0]}.jpg" if frames else ""
    return {
        "image": figures.picture(*size, source=source, revision=run.id),
        "loss": figures.losses(events, run.first, run.epochs, run.id),
        "frames": told,
    }


def _stage_of(run: Run | None) -> str:
    """idle, waiting, painting or done: how the easel looks."""
    if run is None or (run.state.rests and not run.frames):
        return "idle"
    if run.state.rests:
        return "done"
    return "painting" if run.frames else "waiting"


def _download(run: Run | None) -> dict[str, Any]:
    """The result; or the newest frame, of a run that is painted, or whose server went away."""
    if run and run.state.rests and run.has_result:
        picture = "result.png"
    elif run and run.frames:
        picture = "partial.jpg"
    else:
        return {"download": None, "download_name": None, "download_off": True}
    return {
        "download": f"/api/v1/runs/{run.id}/{picture}",
        "download_name": f"painting-{run.id[:8]}{picture[-4:]}",
        "download_off": False,
    }


def studio_view(news: News, seen: dict[str, Any] | None) -> dict[str, Any]:
    """The worker, and what the cards beside the painting read of it, by the names of SHOWN."""
    studio, run = news.studio, news.run
    if studio == seen and all(event["kind"] in ("epoch", "kept", "steered") for event in news.events):
        return {}
    told = ("extractor", "precision", "tiled", "note")
    painter = {**{name: getattr(run, name) for name in told}, "ended": run.state.rests} if run else None
    return {
        "worker": _worker(studio["worker"], studio["trouble"]),
        "worker_class": f"pill pill-{studio['worker']}",
        "studio": {**studio, "run": painter},
    }


def _worker(state: str, trouble: str) -> str:
    """The pill in the header."""
    if trouble and state == "starting":
        return f"{trouble}; a new one is getting ready"
    return f"{WORKER[state]}: {trouble}" if trouble else WORKER[state]


WORKER = {"warm": "ready", "starting": "the worker is getting ready", "lost": "no worker", "closed": "closing"}
