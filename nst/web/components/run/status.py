"""What the Studio page says of a run in words."""

from nst.runs.humanize import converged, count, duration, ordinal, roughly
from nst.runs.run import Run, State
from nst.web.components.form.network import NETWORK_NAMES
from nst.web.follow import RunUpdate

READY = "Ready. Press Start, or choose other pictures first."
MISSING = "This run was deleted, or its address is wrong. Start a new one here."
WORKER_LABELS = {
    "warm": "ready",
    "starting": "the worker is getting ready",
    "lost": "no worker",
    "closed": "the studio is closing",
}


def status_text(update: RunUpdate) -> str:
    """Return a sentence on the state of a run, for the page's live region."""
    run = update.run
    if run is None:
        return MISSING if update.missing else READY
    if run.state is State.QUEUED:
        return _queued_text(update, run)
    if run.state is State.RUNNING:
        return f"Running: {_network(run)} {_activity(run)}."
    if run.state is State.PAUSED:
        return f"Paused at epoch {run.epoch} of {run.epochs}." if run.frames else "Paused before it was painted."
    if run.converged:
        return f"Finished in {duration(run.seconds)}: {converged(run.epoch, run.planned)}."
    if run.state is State.FINISHED:
        return f"Finished: {count(run.epochs, 'epoch')} in {duration(run.seconds)}."
    if run.state is State.STOPPED and run.frames:
        most = "at most " if run.options.epochs == "auto" else ""
        return f"Stopped at epoch {run.epoch} of {most}{run.epochs}."
    if run.state is State.STOPPED:
        return "Stopped before it was painted."
    if run.state is State.INTERRUPTED:
        return f"Interrupted: {run.error}. Continue resumes it from its last checkpoint."
    return f"Failed: {run.error}"


def _queued_text(update: RunUpdate, run: Run) -> str:
    if run.gpu and not update.server["gpu"]:
        return "Queued: it waits for a worker with a graphics card, and none is there."
    position, state = f"Queued: {ordinal(update.position or 1)} in line", update.server["worker"]
    if state != "warm":
        worker = worker_text(state, update.server["error"])
        return f"{position}. {worker[0].upper()}{worker[1:]}."
    return f"{position}, starts in about {roughly(update.starts_in)}." if update.starts_in else f"{position}."


def worker_text(state: str, error: str) -> str:
    """Return the worker's state, and why it is not ready; without a full stop."""
    if error and state == "starting":
        return f"{error}; a new one is getting ready"
    return f"{WORKER_LABELS[state]}: {error}" if error else WORKER_LABELS[state]


def _network(run: Run) -> str:
    """The name of the network within a sentence."""
    name = NETWORK_NAMES.get(run.extractor, run.extractor)
    return f"the{name.removeprefix('The')}" if name.startswith("The ") else name


def _activity(run: Run) -> str:
    """What the network does: "paints at 256 px of 512" on a coarse scale, "paints at 512 × 384 px" on the last.

    The first scale is known from the first frame on, which comes before any step.
    """
    if not run.scales:
        return "prepares to paint"
    side, full = run.scales[-1][1], max(run.width, run.height)
    return f"paints at {side} px of {full}" if side < full else f"paints at {run.width} × {run.height} px"


def progress_text(run: Run | None) -> str:
    """Return epochs, speed and time left of a run; "" before its first frame."""
    if run is None or not run.frames:
        return ""
    bound = "at most " if run.options.epochs == "auto" and run.state is not State.FINISHED else ""
    parts = [f"Epoch {run.epoch} of {bound}{run.epochs}"]
    if run.state is State.RUNNING:
        if run.steps_per_second:
            parts.append(f"{run.steps_per_second:.3g} steps/s")
        if run.seconds_left is not None and run.epoch:
            parts.append(f"{bound}{duration(run.seconds_left)} left")
    elif run.seconds:
        parts.append(duration(run.seconds))
    return " · ".join(parts)
