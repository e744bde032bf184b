"""The cards of the grid on the Instant page: of a fast style, and of a painting whose style is taken as it is."""

import functools
from collections.abc import Iterable
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from nst.errors import ImageError
from nst.pictures import images
from nst.styles.style_file import MOST_TITLE
from nst.styles.style_library import Entry, shipped_file
from nst.web import instant_ids
from nst.web.components import data_url
from nst.web.components.urls import thumbnail_url

PAINTING_SIDE = 512  # px, of the thumbnail of a painting
STYLE_SIDE = 192  # px, of the picture of a style, which is shown until there is a preview
MOST_REDUCED = 512  # of these pictures that stay in memory


def style_card(entry: Entry, fixed: bool) -> Component:
    """Return the card of a style, with its own picture until there is a preview; `fixed` means that it has no menu."""
    export = _export(f"/api/v1/styles/fast/{entry.name}.style")
    menu = [] if fixed else [_menu(entry.name, entry.style.title, [_button("rename", "Rename"), export])]
    badges = [] if entry.shipped else [html.Span("yours", className="own-style")]
    return _card(entry.name, entry.style.title, data_url.encode(_reduced(entry.style.picture)), badges, menu)


def painting_card(ref: str, title: str, fixed: bool) -> Component:
    """Return the card of a stored painting; `fixed` means that its style cannot be kept under a name."""
    keep = [] if fixed else [_button("keep", "Keep as a style")]
    badge = html.Span("painting", className="own-style")
    menu = _menu(ref, title, [*keep, _export(f"/api/v1/{ref}.style")])
    return _card(ref, title, thumbnail_url(ref, PAINTING_SIDE), [badge], [menu])


def _card(name: str, title: str, picture: str | None, badges: Iterable[Component], menu: Iterable[Component]) -> Any:
    return html.Article(
        id=instant_ids.style_card(name),
        className="style-card",
        **{"data-style": name},
        children=[
            html.Button(
                html.Img(src=picture, alt=""),
                type="button",
                className="style-pick",
                **{"data-do": "pick", "aria-label": f"Paint with {title}", "aria-pressed": "false"},
            ),
            html.Button(
                "+",
                type="button",
                className="style-mix",
                title=f"Mix {title} in",
                **{"data-do": "mix", "aria-label": f"Mix {title} in", "aria-pressed": "false"},
            ),
            html.H3([title, *badges]),
            *menu,
        ],
    )


def _menu(name: str, title: str, actions: Iterable[Component]) -> Component:
    """A title, `actions`, and Remove."""
    box = f"title-{name}"
    return html.Details(
        [
            html.Summary("⋯", title=f"More for {title}", **{"aria-label": f"More for {title}"}),
            html.Div(
                [
                    html.Label("Title", htmlFor=box),
                    dbc.Input(id=box, value=title[:MOST_TITLE], maxLength=MOST_TITLE, autocomplete="off"),
                    *actions,
                    _button("remove", "Remove"),
                ]
            ),
        ],
        className="style-menu",
    )


def _button(action: str, text: str) -> Component:
    return html.Button(text, type="button", **{"data-do": action})


def _export(address: str) -> Component:
    return html.A("Export", href=address, download=True)


@functools.lru_cache(MOST_REDUCED)
def _reduced(picture: bytes) -> bytes:
    """The picture of a style at the size of a card: the page receives those of all styles at once."""
    try:
        return images.thumbnail(picture, STYLE_SIDE)
    except ImageError:  # smaller than a picture that is stylized may be
        return picture


def style_summary(entry: Entry) -> dict[str, Any]:
    """Return what assets/instant.js needs to know of a style; "picture" is the SHA-256 of its painting, if known."""
    picture = str(entry.style.provenance.get("picture", ""))
    return {"name": entry.name, "title": entry.style.title, "network": entry.file.network, "picture": picture}


def painting_summary(ref: str, title: str) -> dict[str, Any]:
    """Return what assets/instant.js needs to know of a stored painting."""
    network, picture = shipped_file().network, ref.partition("/")[2]
    return {"name": ref, "title": title, "network": network, "picture": picture}
