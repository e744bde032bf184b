"""Callbacks of the choosers of pictures and of the form's buttons; what fills the form when the page opens."""

import asyncio
from contextlib import suppress
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from nst.errors import NotFound
from nst.options.picture_roles import ROLES
from nst.runs.run import Run
from nst.web import ids
from nst.web.callbacks.form.whole_form import FORM_OUTPUTS, UNCHANGED, filled
from nst.web.components.form.chooser import CHOOSERS
from nst.web.components.form.option_fields import BOXES
from nst.web.components.toast import show_error
from nst.web.components.urls import run_id_of
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    for role in CHOOSERS:
        _register_samples(app, role)
    _register_buttons(app)
    _register_draft(app)
    _register_form_of_run(app, service)


def _register_samples(app: Dash, role: str) -> None:
    app.clientside_callback(
        ClientsideFunction("form", "showChoice"),
        Output(ids.preview(role), "src"),
        Output(ids.caption(role), "children"),
        Output(ids.remark(role), "children"),
        Output(ids.sample(role, ALL), "className"),
        Input(ids.choice(role), "data"),
        State(ids.sample(role, ALL), "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("form", "chooseSample"),
        Output(ids.choice(role), "data", allow_duplicate=True),
        Output(ids.error(role), "children", allow_duplicate=True),
        Input(ids.sample(role, ALL), "n_clicks"),
        State(ids.sample(role, ALL), "title"),
        State(ids.sample(role, ALL), "id"),
        prevent_initial_call=True,
    )


def _register_buttons(app: Dash) -> None:
    """Swap, surprise and another seed; the chooser of the initial image, shown when a run starts from one."""
    choices = [Output(ids.choice(role), "data", allow_duplicate=True) for role in ("content", "style")]
    app.clientside_callback(
        ClientsideFunction("form", "swap"),
        choices,
        Input(ids.SWAP, "n_clicks"),
        [State(ids.choice(role), "data") for role in ("content", "style")],
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("form", "surprise"),
        choices,
        Input(ids.SURPRISE, "n_clicks"),
        [State(ids.sample(role, ALL), part) for role in ("content", "style") for part in ("title", "id")],
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("form", "randomSeed"),
        Output(ids.value("seed"), "value", allow_duplicate=True),
        Input(ids.RANDOM_SEED, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("form", "hideInitChooser"),
        Output(ids.INIT_CHOOSER, "hidden"),
        Input(ids.value("init"), "value"),
        prevent_initial_call=True,
    )


def _register_form_of_run(app: Dash, service: Service) -> None:
    @app.callback(
        output=FORM_OUTPUTS,
        inputs={"source": Input(ids.FORM_SOURCE, "data")},
        prevent_initial_call=True,
    )
    async def fill(source: str) -> dict[str, Any]:
        try:
            return await asyncio.to_thread(form_of_run, service, source)
        except NotFound as error:
            if run_id_of(source, "like"):  # of a run to be shown, the status says it
                show_error(error, "The settings were not taken")
            return UNCHANGED


def form_of_run(service: Service, source: str) -> dict[str, Any]:
    """Return FORM_OUTPUTS with the options and pictures of a run: one to be like, or that with which the page opened.

    Of the pictures of another client's run, those that are not this client's own are left out: the choosers of content,
    style and start keep what they have; further paintings and the mask are removed. Raises NotFound.
    """
    like = run_id_of(source, "like")
    run = service.store.run(like or run_id_of(source))
    if not (like or is_ordinary(run)):
        return UNCHANGED
    choices = {}
    for role, upload_id in run.uploads.items():
        with suppress(NotFound):
            choices[role] = service.pictures.choice_of(f"uploads/{upload_id}", run.names.get(role, ""))
    return filled(run.options, choices)


def is_ordinary(run: Run) -> bool:
    """Whether the settings of a run were made in the form: not those of a quick, upscaled or kept one."""
    upscaled = run.parent and run.init and not run.first
    return not (run.fast or run.variations or upscaled)


def _register_draft(app: Dash) -> None:
    """Keep the form and the chosen pictures over a reload; ask for what else the address names (assets/drafts.js)."""
    places = [*((ids.choice(role), "data") for role in ROLES), *((box, "value") for box in BOXES.values())]
    app.clientside_callback(
        ClientsideFunction("drafts", "open"),
        Output(ids.FORM_SOURCE, "data"),
        [Output(*place, allow_duplicate=True) for place in places],
        Input(ids.URL, "search"),
        *(State(*place) for place in places),
        prevent_initial_call="initial_duplicate",
    )
    app.clientside_callback(
        ClientsideFunction("drafts", "keep"),
        *(Input(*place) for place in places),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
