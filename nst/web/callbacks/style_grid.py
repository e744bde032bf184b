"""The callback of the grid of styles on the Instant page, and of paintings whose styles are predicted."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from nst.errors import NotFound, NstError
from nst.styles.style_file import name_of
from nst.styles.style_picture import StylePicture
from nst.web import ids, instant_ids
from nst.web.components.style_card import painting_card, painting_summary, style_card, style_summary
from nst.web.components.toast import show_error
from nst.web.service.pictures import is_ref
from nst.web.service.service import Service

FAILED = {  # headings of messages, by the action of a style's menu
    "rename": "The style was not renamed",
    "remove": "The style was not removed",
    "keep": "The style was not kept",
}


def register(app: Dash, service: Service) -> None:
    """Register the callback with `app`."""

    @app.callback(
        output={
            "grid": Output(instant_ids.STYLE_GRID, "children"),
            "styles": Output(instant_ids.STYLES, "data"),
            "photo": Output(ids.choice("photo"), "data", allow_duplicate=True),
            "import_style": Output(instant_ids.STYLE_IMPORT, "style"),
        },
        inputs={
            "action": Input(instant_ids.STYLE_ACTION, "data"),
            "sent": Input(instant_ids.STYLES_SENT, "data"),
        },
        state={"shown": State(instant_ids.STYLES, "data")},
        prevent_initial_call=True,
    )
    async def update_styles(
        action: dict[str, Any] | None,
        sent: list[dict[str, Any]] | None,
        shown: list[dict[str, Any]] | None,
    ) -> dict[str, Any]:
        triggered = set(ctx.triggered_prop_ids.values())  # Dash may send several inputs in one call
        refs = [style["name"] for style in shown or () if is_ref(style["name"])]
        photo: Any = no_update
        if action and instant_ids.STYLE_ACTION in triggered:
            refs = action["paintings"]
            photo = await asyncio.to_thread(chosen_photo, service, action)
            with _shown_errors(FAILED.get(action["do"], "The styles were not listed")):
                refs = await asyncio.to_thread(perform_action, service, action)
        for painting in sent or () if instant_ids.STYLES_SENT in triggered else ():
            with _shown_errors("The painting was not taken"):
                await asyncio.to_thread(check_painting, service, painting["ref"], painting["title"])
                refs = [*refs, painting["ref"]]
        return await asyncio.to_thread(grid, service, refs) | {"photo": photo}


@contextmanager
def _shown_errors(failed: str) -> Iterator[None]:
    """A context that an `NstError` ends, which the page then shows under the heading `failed`."""
    try:
        yield
    except NstError as error:
        show_error(error, failed)


def grid(service: Service, refs: Iterable[str]) -> dict[str, Any]:
    """Return the cards of paintings and of the library, and what the page's script needs to know of them.

    Paintings that are not stored any more are left out.
    """
    entries, shared = service.library.entries(), service.settings.many
    titles: dict[str, str] = {}
    for ref in refs:
        with suppress(NotFound):
            titles[ref] = service.fast_styles.paintings.title(ref)
    cards = [painting_card(ref, title, shared) for ref, title in titles.items()]
    summaries = [painting_summary(ref, title) for ref, title in titles.items()]
    return {
        "grid": [*cards, *(style_card(entry, entry.shipped or shared) for entry in entries)],
        "styles": [*summaries, *map(style_summary, entries)],
        "import_style": {"display": "none"} if shared else {},
    }


def chosen_photo(service: Service, action: dict[str, Any]) -> Any:
    """Return the choice of the picture that an address names, {"ref", "title"}; no update if it is not stored."""
    with suppress(NotFound):
        return service.pictures.choice_of(action["picture"]) if action.get("picture") else no_update
    return no_update


def check_painting(service: Service, ref: str, name: str) -> None:
    """Check that a stored picture, which errors call `name`, can be a style. Raises NotFound, ImageError."""
    StylePicture.read(service.pictures.read(ref), name)


def perform_action(service: Service, action: dict[str, Any]) -> list[str]:
    """Rename or remove a style, or keep that of a painting under a name; returns the paintings that the page shows.

    Raises InputError, NotFound, Conflict, Busy, TooMany.
    """
    paintings: list[str] = action["paintings"]
    if action["do"] == "list":
        return paintings
    service.permissions.check_change_styles()
    if action["do"] == "rename":
        service.library.rename(action["name"], name_of(action["title"]) or action["name"], action["title"])
    elif action["do"] == "remove":
        service.library.remove(action["name"])
    elif action["do"] == "keep":
        painting = service.fast_styles.paintings.get(action["name"])
        service.fast_styles.add(painting, painting.name_for(action["title"]), action["title"])
        return [ref for ref in paintings if ref != action["name"]]
    return paintings
