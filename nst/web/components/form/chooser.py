"""The chooser of a picture: a drop zone with a preview, and samples."""

from collections.abc import Iterable, Mapping
from typing import Any

from dash import dcc, html, no_update
from dash.development.base_component import Component

from nst.errors import InputError
from nst.options.picture_roles import ROLES, STYLE_ROLES
from nst.pictures.images import MAX_BYTES
from nst.pictures.samples import Sample
from nst.web import ids
from nst.web.components.urls import thumbnail_url

CHOOSERS = {  # role -> (title, hint)
    "content": ("Content", "Drop a photograph here, or choose one"),
    "style": ("Style", "Drop a painting here, or choose one"),
    "style2": ("Painting 2", "Drop another painting here, or choose one"),
    "style3": ("Painting 3", "Drop another painting here, or choose one"),
    "style4": ("Painting 4", "Drop another painting here, or choose one"),
    "init": ("Start from", "Drop the picture to start from, or choose one"),
    "mask": ("Mask", "Drop a mask here, or choose one"),
    "photo": ("Picture", "Drop a photograph here, or choose one"),  # of the Instant page
}
CHOSEN_SIDE, SAMPLE_SIDE = 512, 128  # px


def chooser(role: str, samples: Iterable[Sample] = (), chosen: Sample | None = None) -> Component:
    """Return the chooser for a role; `chosen` is the sample that is chosen at first."""
    title, hint = CHOOSERS[role]
    choice = chosen and {"ref": f"samples/{chosen.name}", "title": chosen.title}
    return html.Section(
        className=f"chooser chooser-{role}",
        **{"data-largest": MAX_BYTES},
        children=[
            html.H2(title),
            html.Div(
                className="drop-frame",
                children=[
                    # not in the Upload, which Dash loads late: it would not show what was set before that
                    html.Img(id=ids.preview(role), src=choice and thumbnail_url(choice["ref"], CHOSEN_SIDE), alt=""),
                    dcc.Upload(
                        id=ids.upload(role),
                        className="drop",
                        className_active="drop drop-over",
                        className_reject="drop drop-reject",
                        max_size=MAX_BYTES,
                        accept="image/*",
                        multiple=role == "content",  # a run for each
                        children=[
                            html.Span(hint, className="drop-hint"),
                            html.Span("Replace", className="drop-replace"),
                        ],
                    ),
                ],
            ),
            *([] if role == "mask" else [_camera_button(title)]),
            html.P(choice and choice["title"], id=ids.caption(role), className="caption", **{"aria-live": "polite"}),
            html.Label(f"Sending: {title.lower()}", htmlFor=ids.upload_progress(role), className="visually-hidden"),
            html.Progress(id=ids.upload_progress(role), value="0", max="1", hidden=True),
            html.Div(id=ids.remark(role), className="hint", role="status"),
            html.Div(id=ids.error(role), className="field-error", role="alert"),
            html.Div(
                [_sample_button(role, sample, sample is chosen) for sample in samples],
                className="samples",
                role="group",
                **{"aria-label": f"Samples for {title.lower()}"},
            ),
            # with `data=None` it would tell of a change as the page opens
            dcc.Store(id=ids.choice(role), **({"data": choice} if choice else {})),
        ],
    )


def _camera_button(title: str) -> Component:
    """The button that opens the camera of a telephone; hidden where a mouse points."""
    name = {"aria-label": f"Camera: {title.lower()}"}
    return html.Button("Camera", type="button", className="quiet camera", **name)


def _sample_button(role: str, sample: Sample, chosen: bool) -> Component:
    picture = html.Img(src=thumbnail_url(f"samples/{sample.name}", SAMPLE_SIDE), alt=sample.title)
    return html.Button(
        picture,
        id=ids.sample(role, sample.name),
        title=sample.title,
        type="button",
        className="sample sample-chosen" if chosen else "sample",
    )


def chosen_ref(role: str, choice: dict[str, str] | None) -> str:
    """Return the reference of the picture chosen for "content" or "style". Raises InputError if there is none."""
    if not choice:
        raise InputError(f"choose a {'photograph' if role == 'content' else 'painting'} first")
    return choice["ref"]


def choices_of_run(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the choosers of a run's pictures are set to where `found` are the choices by role.

    A further painting and a mask that are not found are removed; the other choosers then keep what they have.
    """
    optional = (*STYLE_ROLES[1:], "mask")
    # False, since a dcc.Store that is set to None keeps what it had
    return {role: found.get(role, False if role in optional else no_update) for role in ROLES}
