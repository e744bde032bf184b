"""Two runs side by side or under one slider, and the settings in which they differ: what the Compare page shows."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from nst.options.fast_options import FastOptions
from nst.options.option_field import options_of
from nst.options.picture_roles import ROLES, STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.runs.humanize import count, duration
from nst.runs.run import Run
from nst.web import ids
from nst.web.components import viewer
from nst.web.components.form.chooser import CHOOSERS
from nst.web.components.form.option_fields import choice_label
from nst.web.components.run.figures import steering_lines
from nst.web.components.run_card import RunCard
from nst.web.components.settings_text import differing_options, setting_of, value_text
from nst.web.components.urls import compare_url, instant_url, run_file, run_url

SIDE_BY_SIDE = "side"  # value of `view` in the address; without it there is one slider
START = 50  # % of the first picture that is shown at first
STILL_PAINTED = " It is still painted. Load this page again to see more of it."
TOOLS = ("farther", "closer", "fit", "actual", "fullscreen")


def run_comparison(first: RunCard, second: RunCard, side_by_side: bool) -> list[Component]:
    """Return the pictures of two runs, which are zoomed and moved together, and what differs."""
    pair = (first, second)
    link = f"compared-{first.run.id}-{second.run.id}"
    pictures = [_alone(n, card, link) for n, card in enumerate(pair)] if side_by_side else [_together(*pair, link)]
    captions = html.Div([_caption(card) for card in pair], className="compared-captions")
    return [
        _views(first.run, second.run, side_by_side),
        html.Div(pictures, className="compared compared-side" if side_by_side else "compared"),
        captions,
        _differences(*pair),
    ]


def _views(first: Run, second: Run, side_by_side: bool) -> Component:
    """The links to the two ways of comparing, and to the pair the other way round."""
    view = SIDE_BY_SIDE if side_by_side else ""
    links = [
        _view("Under one slider", compare_url(first.id, second.id), not side_by_side),
        _view("Side by side", compare_url(first.id, second.id, SIDE_BY_SIDE), side_by_side),
        html.A("⇄ Swap", href=compare_url(second.id, first.id, view), className="in-app quiet"),
    ]
    return html.Nav(links, className="compared-views", **{"aria-label": "Ways to compare"})


def _view(text: str, href: str, current: bool) -> Component:
    return html.A(text, href=href, className="in-app quiet", **({"aria-current": "true"} if current else {}))


def _together(first: RunCard, second: RunCard, link: str) -> Component:
    """The second picture under the first, which a slider reveals from the left."""
    return html.Figure(
        [
            viewer.picture_window(
                "Both pictures",
                _image(second),
                _image(first, className="comparison-other"),
                **{"--clip": f"{START}%"},
            ),
            *viewer.comparison_slider(ids.COMPARED_SLIDER, f"Show more of {first.title_apart}", START),
            viewer.tools(*TOOLS),
        ],
        id="compared-both",
        className="comparison viewer image-frame image-frame-done",
        style={**_aspect(second.run), "--cut": f"{START}%"},
        **{"data-link": link, "data-other": "of the first picture"},
    )


def _alone(n: int, card: RunCard, link: str) -> Component:
    return html.Figure(
        [viewer.picture_window(card.title_apart, _image(card)), viewer.tools(*TOOLS)],
        id=f"compared-{n}",
        className="viewer image-frame image-frame-done",
        style=_aspect(card.run),
        **{"data-link": link},
    )


def _image(card: RunCard, **more: Any) -> Component:
    address = f"/api/v1/runs/{card.run.id}/{run_file(card.run)}?n={card.run.last}"
    return html.Img(src=address, alt=card.title_apart, key=address, **more)


def _aspect(run: Run) -> dict[str, Any]:
    return {"--width": run.width, "--height": run.height}


def _caption(card: RunCard) -> Component:
    address = instant_url(card.run) if card.run.fast else run_url(card.run.id)
    link = html.A(card.title_apart, href=address, className="in-app")
    run = card.run
    took = f"one pass, {run.seconds:.2f} s" if run.fast else f"{count(run.epoch, 'epoch')}, {duration(run.seconds)}"
    still = [] if run.state.rests else [html.Small(STILL_PAINTED)]
    return html.P([link, html.Span(f" {took}"), *still])


def _differences(first: RunCard, second: RunCard) -> Component:
    """The table of what differs; settings that are equal are left out."""
    rows = [*_pictures(first, second), *(row for row in _facts(first, second) if row[1] != row[2])]
    if not rows:
        return html.P("Both have the same pictures and settings.", className="hint")
    body = [
        html.Tr([html.Th(name, scope="row"), html.Td(one or "–"), html.Td(other or "–")]) for name, one, other in rows
    ]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in ("What differs", "First", "Second")]))
    return html.Table([head, html.Tbody(body)], className="differences")


def _pictures(first: RunCard, second: RunCard) -> list[tuple[str, str, str]]:
    """(name of the role, title in the first, in the second) of the pictures that are not the same."""
    one, other = ({**card.pictures, **card.further} for card in (first, second))
    rows = []
    for role in (role for role in ROLES if one.get(role) != other.get(role)):  # one may have more paintings
        titles = [pictures.get(role, {}).get("title", "") for pictures in (one, other)]
        same = titles[0] == titles[1]  # two files of one name, as all masks that are painted here
        rows.append((CHOOSERS[role][0], titles[0], f"{titles[1]} (another picture)" if same else titles[1]))
    return rows


def _facts(first: RunCard, second: RunCard) -> list[tuple[str, str, str]]:
    """(name, of the first, of the second): settings, and what the runs did."""
    runs = first.run, second.run
    fast = [_fast_settings(run) for run in runs]
    labels = {label for settings in fast for label in settings}
    differing = differing_options(runs)  # from the defaults, if one run was painted in one pass
    shown = [each for each in options_of(StyleOptions) if each in differing or each.label in labels]
    one, other = (
        found or {each.label: setting_of(run, each) for each in shown} for run, found in zip(runs, fast, strict=True)
    )
    settings = [(label, *(each.get(label, "") for each in (one, other))) for label in {**one, **other}]
    network = StyleOptions.option("extractor")
    painted = [
        ("Network used", *(run.extractor and choice_label(network, run.extractor) for run in runs)),
        ("Precision used", *(run.precision for run in runs)),
        ("Size of the result", *(f"{run.width} × {run.height} px" for run in runs)),
        ("Epochs painted", *("" if run.fast else str(run.epoch) for run in runs)),
        ("Steered", *("; ".join(reversed(steering_lines(run))) for run in runs)),
    ]
    return [(name, one, other) for name, one, other in (*settings, *painted)]


def _fast_settings(run: Run) -> dict[str, str]:
    """The options of a picture painted in one pass, and the shares of its styles, by label; of a run {}."""
    if run.fast is None:
        return {}
    mix = sorted(run.fast["mix"].values(), reverse=True)
    titles = (run.names.get(role, "") for role in STYLE_ROLES)
    shares = ", ".join(f"{title} {weight:.0%}" for title, weight in zip(titles, mix, strict=False))
    options = {option.label: value_text(option, run.fast["options"][option.name]) for option in options_of(FastOptions)}
    return {"Shares": shares, **options} if len(mix) > 1 else options
