"""The strip of runs that are painted or wait, in their order, with buttons that move and remove those that wait.

Quick runs of one grid of variations that follow each other are one entry. assets/run_queue.js calls the REST interface
for the buttons.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dash import html
from dash.development.base_component import Component

from nst.runs.humanize import count, ordinal
from nst.runs.run import Run, State
from nst.web import ids
from nst.web.components.run_card import RunCard
from nst.web.components.settings_text import differing_settings
from nst.web.components.urls import run_url, thumbnail_url
from nst.web.service.service import Service

OUTPUTS = {"queue": (ids.RUN_QUEUE, "children"), "queue_hidden": (ids.RUN_QUEUE, "hidden")}
THUMBNAIL_SIDE = 128  # px
BUTTONS = {"earlier": ("‹", "Paint sooner"), "later": ("›", "Paint later"), "remove": ("✕", "Remove from the queue")}


@dataclass(frozen=True)
class QueueEntry:
    """A run in the queue, or quick runs of one grid with no other run between them."""

    card: RunCard  # of the first run
    position: int  # of that run, see `Runs.queue_positions`
    runs: tuple[Run, ...]

    @property
    def title(self) -> str:
        """The title of the run, with what tells it apart, or how many quick runs there are."""
        return (
            f"Variations, {count(len(self.runs), 'quick run')}" if self.card.run.variations else self.card.title_apart
        )

    @property
    def waiting(self) -> int:
        """How many of the runs wait."""
        return sum(run.state is State.QUEUED for run in self.runs)

    def url(self, shown: Run | None) -> str:
        """Return the address that shows the run, or the grid; `shown` is the run that the page keeps beside a grid."""
        run = self.card.run
        if not run.variations:
            return run_url(run.id)
        return f"/vary{f'?run={shown.id}' if shown else ''}#{run.variations}"


def queue_entries(service: Service, client: str) -> list[QueueEntry]:
    """Return the entries of a client's queue, the one that is painted or comes next first. Reads the database."""
    positions = service.runs.queue_positions()
    runs = service.runs.queue_of(client)
    differing = differing_settings(run for run in runs if not run.variations)
    return [
        QueueEntry(RunCard.of(service, run, differing.get(run.id)), positions.get(run.id, 1), (run, *more))
        for _, (run, *more) in groupby(runs, lambda run: run.variations or run.id)
    ]


def layout() -> Component:
    """Return the strip, empty and hidden."""
    return html.Ol(id=ids.RUN_QUEUE, className="run-queue", hidden=True, **{"aria-label": "Runs painted and waiting"})


def queue_view(entries: list[QueueEntry], shown: Run | None) -> dict[str, Any]:
    """Return the strip, by the names of OUTPUTS; hidden if there is no run but the one that the page shows."""
    others = [run for entry in entries for run in entry.runs if shown is None or run.id != shown.id]
    return {"queue": [_item(n, entries, shown) for n in range(len(entries))], "queue_hidden": not others}


def _item(n: int, entries: list[QueueEntry], shown: Run | None) -> Component:
    entry = entries[n]
    run = entry.card.run
    waits = entry.waiting == len(entry.runs)
    thumbnails = [
        html.Img(src=thumbnail_url(picture["ref"], THUMBNAIL_SIDE), alt="") for picture in entry.card.pictures.values()
    ]
    state = f"{ordinal(entry.position)} in line" if waits else "painting"
    link = html.A(
        [*thumbnails[:2], html.Span(entry.title), html.Small(state)],
        href=entry.url(shown),
        className="in-app",
        **{"aria-current": "true"} if shown is not None and run.id == shown.id else {},
    )
    buttons = [_button(name, entry, _passed(name, n, entries)) for name in BUTTONS if waits and not run.variations]
    return html.Li([link, *buttons], className="run-queued" if waits else "run-queued run-painted")


def _passed(name: str, n: int, entries: list[QueueEntry]) -> int:
    """How many runs that wait a button moves an entry past: those of the entry before it, or of the next one."""
    other = {"earlier": n - 1, "later": n + 1}.get(name, n)
    return entries[other].waiting if 0 <= other < len(entries) else 0


def _button(name: str, entry: QueueEntry, passed: int) -> Component:
    sign, label = BUTTONS[name]
    named = {"data-queue": name, "data-run": entry.card.run.id, "aria-label": f"{label}: {entry.title}"}
    return html.Button(sign, type="button", title=label, disabled=not passed, **named, **{"data-passed": str(passed)})
