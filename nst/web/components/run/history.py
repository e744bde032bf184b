"""Under the image: the scrubber over a run's epochs, and buttons to branch, continue and make a timelapse."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from nst.errors import NotFound, OptionError
from nst.options.option_field import number, shown
from nst.options.style_options import StyleOptions
from nst.pictures.timelapse import TIMELAPSE_FORMATS
from nst.runs.run import Run
from nst.web import ids
from nst.web.components.run import result_tools
from nst.web.components.settings_text import differing_settings, titled
from nst.web.components.small_button import icon_button
from nst.web.components.urls import run_url
from nst.web.service.runs import LONGEST
from nst.web.service.service import Service

PROPOSED_EPOCHS = 10  # more, for a run that has done all of its epochs
MOST_MORE_EPOCHS = int(StyleOptions.option("epochs").high or 0)


def layout() -> Component:
    """Return the bar, hidden until a run has frames."""
    return html.Div(
        [
            _scrubber(),
            html.Div(
                [
                    html.Button("Branch from here", id=ids.BRANCH, type="button", className="quiet"),
                    _continue_button(),
                    _timelapse_button(),
                    result_tools.copy_button(ids.COPY_RUN_LINK),
                ],
                className="run-actions",
            ),
            html.P(id=ids.LINEAGE, className="hint lineage"),
            html.Details(
                [html.Summary("Name, notes, print, use again"), _annotations(), result_tools.layout()],
                className="more-actions",
            ),
        ],
        id=ids.HISTORY,
        className="history",
        hidden=True,
    )


def _scrubber() -> Component:
    mark = icon_button("☆", ids.MARK, "Always keep this frame", "round", disabled=True)
    return html.Div(
        [
            html.Label("Epoch", htmlFor=ids.SCRUBBER, className="visually-hidden"),
            dbc.Input(id=ids.SCRUBBER, type="range", min=0, max=1, step=1, value=1),
            html.Output(id=ids.SHOWN_EPOCH, htmlFor=ids.SCRUBBER, **{"aria-live": "off"}),  # it changes at each frame
            mark,
        ],
        className="scrubber",
    )


def _annotations() -> Component:
    """The name and the notes of the run, which are stored when the focus leaves them."""
    return html.Div(
        [
            dbc.Label("Name", html_for=ids.RUN_NAME),
            dbc.Input(id=ids.RUN_NAME, type="text", debounce=True, autocomplete="off", maxLength=LONGEST["name"]),
            dbc.Label("Notes", html_for=ids.RUN_NOTES),
            dbc.Textarea(id=ids.RUN_NOTES, debounce=True, rows=2, maxLength=LONGEST["notes"]),
        ],
        className="annotations",
    )


def _continue_button() -> Component:
    box = dbc.Input(id=ids.TO_EPOCH, type="text", inputmode="numeric", autocomplete="off", value=str(PROPOSED_EPOCHS))
    return html.Span(
        [
            html.Button("Continue", id=ids.CONTINUE, type="button", className="quiet", disabled=True),
            dbc.Label("to epoch", html_for=ids.TO_EPOCH, class_name="hint"),
            box,
        ],
        className="continue-run",
    )


def _timelapse_button() -> Component:
    formats = [{"label": each.upper(), "value": each} for each in TIMELAPSE_FORMATS]
    return html.Span(
        [
            html.Button("Timelapse", id=ids.TIMELAPSE, type="button", className="quiet"),
            dbc.Label("Format of the timelapse", html_for=ids.TIMELAPSE_FORMAT, class_name="visually-hidden"),
            dbc.Select(id=ids.TIMELAPSE_FORMAT, options=formats, value=TIMELAPSE_FORMATS[0]),
            html.Label("Making the timelapse", htmlFor=ids.TIMELAPSE_BAR, className="visually-hidden"),
            html.Progress(id=ids.TIMELAPSE_BAR, value="0", max="1", hidden=True),
            html.A("Save it", id=ids.TIMELAPSE_LINK, hidden=True, download=""),
        ],
        className="timelapse",
    )


def relatives(service: Service, run: Run) -> dict[str, str]:
    """Return the titles of the run that a run was branched from, and of its branches, by their ids.

    One without a name has what tells it from the others with it, as "lake after night (Strength 2)". Reads the
    database.
    """
    ids_found = (*filter(None, [run.parent]), *service.store.children(run))
    unnamed = []
    for run_id in ids_found:
        with suppress(NotFound):  # its title says that it was deleted
            if not service.archive.annotations(run_id).name:
                unnamed.append(service.store.run(run_id))
    differing = differing_settings([run, *unnamed])
    titles = {run_id: service.runs.title(run_id) for run_id in ids_found}
    return titles | {each.id: titled(titles[each.id], differing[each.id].values()) for each in unnamed}


def lineage(run: Run, titles: Mapping[str, str]) -> list[Any]:
    """Return links to the run that a run was branched from, and to its branches; `titles` are those of `relatives`."""
    parts: list[Any] = []
    if run.parent in titles:
        link = _link(run.parent, titles[run.parent])
        parts = (
            ["Upscaled from ", link, ". "]
            if run.init and not run.first
            else ["Branched from ", link, f" at epoch {run.first}. "]
        )
    children = {run_id: title for run_id, title in titles.items() if run_id != run.parent}
    if children:
        parts += ["Branches: " if len(children) > 1 else "Branch: "]
        for run_id, title in children.items():
            parts += [_link(run_id, title), ", "]
        parts[-1] = "."
    return parts


def _link(run_id: str, title: str) -> Component:
    return html.A(title, href=run_url(run_id), className="in-app")


def proposed_end(run: Run) -> str:
    """Return the last epoch that "Continue" proposes: the planned one, or some more if that is done."""
    return str(run.epochs + PROPOSED_EPOCHS if run.epoch >= run.epochs else run.epochs)


def read_end(text: str, epoch: int) -> int:
    """Return the last epoch that was typed for a run which has done `epoch`. Raises OptionError."""
    end = number(str(text or "").strip())
    if not isinstance(end, int) or not epoch < end <= epoch + MOST_MORE_EPOCHS:
        rule = f"a whole number between {epoch + 1} and {epoch + MOST_MORE_EPOCHS}"
        if end == "":
            raise OptionError(f"enter the epoch to go on to, {rule}")
        raise OptionError(f"the epoch to go on to must be {rule}, got {shown(text)}")
    return end
