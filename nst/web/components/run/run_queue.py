"""The strip of runs that are painted or wait, in their order, with buttons that move and remove those that wait.

assets/run_queue.js calls the REST interface for the buttons.
"""

from typing import Any

from dash import html
from dash.development.base_component import Component

from nst.runs.humanize import ordinal
from nst.runs.run import Run, State
from nst.web import ids
from nst.web.components.run_card import RunCard
from nst.web.components.urls import run_url, thumbnail_url

OUTPUTS = {"queue": (ids.RUN_QUEUE, "children"), "queue_hidden": (ids.RUN_QUEUE, "hidden")}
THUMBNAIL_SIDE = 128  # px
BUTTONS = {"earlier": ("‹", "Paint sooner"), "later": ("›", "Paint later"), "remove": ("✕", "Remove from the queue")}


def layout() -> Component:
    """Return the strip, empty and hidden."""
    return html.Ol(id=ids.RUN_QUEUE, className="run-queue", hidden=True, **{"aria-label": "Runs painted and waiting"})


def queue_view(cards: list[RunCard], shown: Run | None) -> dict[str, Any]:
    """Return the strip, by the names of OUTPUTS; hidden if there is no run but the one that the page shows."""
    waiting = [card.run.id for card in cards if card.run.state is State.QUEUED]
    painted = len(cards) - len(waiting)
    items = [_item(card, waiting, painted, shown is not None and card.run.id == shown.id) for card in cards]
    others = [card for card in cards if shown is None or card.run.id != shown.id]
    return {"queue": items, "queue_hidden": not others}


def _item(card: RunCard, waiting: list[str], painted: int, current: bool) -> Component:
    run = card.run
    place = waiting.index(run.id) if run.id in waiting else None
    state = "painting" if place is None else f"{ordinal(painted + place + 1)} in line"
    thumbnails = [
        html.Img(src=thumbnail_url(picture["ref"], THUMBNAIL_SIDE), alt="") for picture in card.pictures.values()
    ]
    link = html.A(
        [*thumbnails[:2], html.Span(card.title), html.Small(state)],
        href=run_url(run.id),
        className="in-app",
        **{"aria-current": "true"} if current else {},
    )
    off = {"earlier": place == 0, "later": place == len(waiting) - 1, "remove": False}
    buttons = [_button(name, card, off[name]) for name in (BUTTONS if place is not None else ())]
    return html.Li([link, *buttons], className="run-queued" if place is not None else "run-queued run-painted")


def _button(name: str, card: RunCard, disabled: bool) -> Component:
    sign, label = BUTTONS[name]
    named = {"data-queue": name, "data-run": card.run.id, "aria-label": f"{label}: {card.title}"}
    return html.Button(sign, type="button", title=label, disabled=disabled, **named)
