"""What the Studio page shows of a run and of the server: properties of components, from a `RunUpdate`."""

from typing import Any

from dash import html, no_update

from nst.runs.run import Run, State
from nst.web import ids
from nst.web.components.run import figures, history, run_buttons, run_queue, steering
from nst.web.components.run.result_tools import USES, can_be_upscaled, upscaling_view, use_url
from nst.web.components.run.status import progress_text, status_text, worker_text
from nst.web.components.urls import file_stem, original_url
from nst.web.follow import RunUpdate

ENDINGS = {state for state in State if state.ended}  # also kinds of events
PAINTING = {"epoch", "kept", "steered"}  # kinds of events that leave a run in the state it is in
REPLAYED_FRAMES = 12  # newest frames that a page plays when it begins to show a run

OUTPUTS = {  # what `run_view` and `server_view` return, by (component, property)
    "image": (ids.IMAGE, "figure"),
    "loss": (ids.LOSS, "figure"),
    "frames": (ids.FRAMES, "data"),
    "photograph": (ids.PHOTOGRAPH, "src"),
    "image_frame": (ids.IMAGE_FRAME, "className"),
    "aspect": (ids.IMAGE_FRAME, "style"),
    "status": (ids.STATUS, "children"),
    "numbers": (ids.NUMBERS, "children"),
    "legend": (ids.LEGEND, "children"),
    "progress": (ids.PROGRESS, "value"),
    "progress_max": (ids.PROGRESS, "max"),
    "history_hidden": (ids.HISTORY, "hidden"),
    "continue_off": (ids.CONTINUE, "disabled"),
    "to_epoch": (ids.TO_EPOCH, "value"),
    "steered": (ids.STEERED, "children"),
    "lineage": (ids.LINEAGE, "children"),
    **{f"as_{role}": (ids.use_as(role), "href") for role in USES},
    "upscale_off": (ids.UPSCALE, "disabled"),
    "upscaled_sides": (ids.UPSCALED_SIDE, "options"),
    "upscaled_side": (ids.UPSCALED_SIDE, "value"),
    "name": (ids.RUN_NAME, "value"),
    "title": (ids.RUN_NAME, "placeholder"),
    "notes": (ids.RUN_NOTES, "value"),
    "steer_hidden": (ids.STEER, "hidden"),
    "steer_fields": (ids.STEER_FIELDS, "children"),
    "steer_hint": (ids.STEER_HINT, "children"),
    "diagnosis_state": (ids.DIAGNOSIS_STATE, "children"),
    "diagnosis": (ids.DIAGNOSIS, "children"),
    "worker": (ids.WORKER, "children"),
    "worker_class": (ids.WORKER, "className"),
    "server": (ids.SERVER, "data"),
    "cursor": (ids.CURSOR, "data"),
    **run_buttons.OUTPUTS,
    **run_queue.OUTPUTS,
}


def run_view(update: RunUpdate, attached: bool) -> dict[str, Any]:
    """Return what the page shows of a run, by the names of OUTPUTS; `attached` means that it shows the run already."""
    run = update.run
    view: dict[str, Any] = {"status": status_text(update)}
    if attached and not update.events:
        return view
    ended = run is not None and run.state.ended
    return view | {
        **run_buttons.buttons_view(run),
        **_figures(update, attached),
        **({} if attached else {**_steering_card(run), **_annotations(update), **upscaling_view(run)}),
        **({} if attached and not _has_just_ended(update) else {"to_epoch": history.proposed_end(run) if run else ""}),
        # only where it may change: a forecast is made each time
        **({} if attached and _only_paints(update) else {"upscale_off": not can_be_upscaled(run)}),
        **({"diagnosis_state": "", "diagnosis": None} if run is None else {}),
        "photograph": original_url(f"runs/{run.id}") if run else None,
        "image_frame": f"comparison viewer image-frame image-frame-{_phase(run)}",
        "aspect": {"--width": run.width, "--height": run.height} if run and run.width else {},
        "numbers": progress_text(run),
        "legend": figures.legend(run.losses if run else None),
        "progress": str(run.epoch if run else 0),
        "progress_max": str(run.epochs if run else 1),
        "history_hidden": run is None or not run.frames,
        "continue_off": not ended,
        "steer_hint": steering.hint(run),
        "steered": [html.Li(line) for line in figures.steering_lines(run)] if run else [],
        "lineage": history.lineage(run, update.relatives) if run else [],
        **{f"as_{role}": use_url(run.id, role) if run and run.has_result else None for role in USES},
    }


def _has_just_ended(update: RunUpdate) -> bool:
    return update.run is not None and any(event["kind"] in ENDINGS for event in update.events)


def _only_paints(update: RunUpdate) -> bool:
    """Whether nothing happened but what happens while a run is painted."""
    return all(event["kind"] in PAINTING for event in update.events)


def _steering_card(run: Run | None) -> dict[str, Any]:
    """The sliders, built when the page begins to show a run or its network becomes known; later the user moves them."""
    return {"steer_hidden": run is None, "steer_fields": steering.fields(run) if run else []}


def _annotations(update: RunUpdate) -> dict[str, Any]:
    """The name and notes, filled when the page begins to show a run; later the user changes them."""
    return {"name": update.name, "title": update.title, "notes": update.notes}


def _figures(update: RunUpdate, attached: bool) -> dict[str, Any]:
    """The figures and the frames for the player: whole figures when the page begins to show a run, then patches."""
    run, events = update.run, update.events
    if run is None:
        return {"image": figures.picture(), "loss": figures.losses(), "frames": {"run": "", "play": [], "kept": []}}
    base = f"/api/v1/runs/{run.id}"
    result = f"{base}/result.png?n={run.last}" if run.has_result and run.state.rests else ""
    epochs = [event["frame"] for event in events if "frame" in event]
    if not attached:  # what is over is not played again
        epochs = epochs[-1 if run.state.rests else -REPLAYED_FRAMES :]
    frames = {
        "run": run.id,
        "base": base,
        "name": file_stem(run),
        "play": epochs if attached or not result else [],
        "kept": [[frame["epoch"], frame["marked"]] for frame in update.frames],
        "first": run.first,
        "result": result,
        "title": update.name or update.title,
        "state": run.state,
        "progress": run.epoch / max(1, run.epochs),
    }
    if attached:
        patch = figures.more_losses(events, run.first, run.epochs, run.scales)
        return {"image": no_update, "loss": patch, "frames": frames}
    size = (run.width or 4, run.height or 3)
    source = result or (f"{base}/frames/{epochs[0]}.jpg" if epochs else "")
    return {
        "image": figures.picture(*size, source=source),
        "loss": figures.losses(events, run.first, run.epochs, run.id, run.scales),
        "frames": frames,
    }


def _phase(run: Run | None) -> str:
    """idle, waiting, running or done: the class of the image frame."""
    if run is None or (run.state.rests and not run.frames):
        return "idle"
    if run.state.rests:
        return "done"
    return "running" if run.frames else "waiting"


def server_view(update: RunUpdate, shown: dict[str, Any] | None) -> dict[str, Any]:
    """Return the worker's state and what the network card reads, by the names of OUTPUTS.

    `shown` is the server state that the page shows. Returns {} if neither that nor the run's network changed.
    """
    server, run = update.server, update.run
    queue = {} if update.queue is None else run_queue.queue_view(update.queue, run)
    if server == shown and _only_paints(update):
        return queue
    names = ("extractor", "precision", "tiled", "note")
    network = {**{name: getattr(run, name) for name in names}, "ended": run.state.rests} if run else None
    return {
        "worker": worker_text(server["worker"], server["error"]),
        "worker_class": f"pill pill-{server['worker']}",
        "server": {**server, "run": network},
        **queue,
    }
