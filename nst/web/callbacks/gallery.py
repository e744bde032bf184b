"""Callbacks of the gallery: which runs hang on its wall, and what is done with one of them.

All that may change the wall counts `LOOK` up (assets/gallery.js), and one callback answers, by what has changed alone.
In a studio of many every callback knows the runs of the client who asks, and no others.
"""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, no_update

from nst.errors import NotFound, NstError
from nst.jobs.archive import GIGABYTE
from nst.runs.humanize import count
from nst.web import ids
from nst.web.components.form import toast
from nst.web.components.run_card import Card
from nst.web.middleware.clients import current_client
from nst.web.service.service import Service

PAGE = 50  # cards that "More" adds
ANY = "any"  # state

SHOWN = {
    "wall": (ids.WALL, "children"),
    "hung": (ids.HUNG, "data"),
    "found": (ids.FOUND, "children"),
    "none_yet": (ids.NONE_YET, "hidden"),
    "none_found": (ids.NONE_FOUND, "hidden"),
    "no_more": (ids.MORE, "hidden"),
    "used": (ids.USED, "value"),
    "used_max": (ids.USED, "max"),
    "used_text": (ids.USED_TEXT, "children"),
}


def register(app: Dash, service: Service) -> None:
    """Attach the callbacks to `app`."""
    app.clientside_callback(
        ClientsideFunction("rooms", "enter"),
        *(Output(room, "hidden") for room in ids.ROOMS.values()),
        *(Output(link, what) for link in ids.ROOMS for what in ("href", "aria-current")),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
    )
    app.clientside_callback(
        ClientsideFunction("gallery", "look"),
        Output(ids.LOOK, "data"),
        Input(ids.URL, "pathname"),
        *(Input(box, "value") for box in (ids.WORDS, ids.OF_STATE, ids.OF_FAVOURITES)),
        Input(ids.MORE, "n_clicks"),
    )
    app.clientside_callback(
        ClientsideFunction("gallery", "looked"), Input(ids.LOOKED, "data"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("gallery", "granted"), Input(ids.GRANTED, "data"), prevent_initial_call=True
    )

    @app.callback(
        output={
            "looked": Output(ids.LOOKED, "data"),
            "shown": {name: Output(*place) for name, place in SHOWN.items()},
        },
        inputs={"look": Input(ids.LOOK, "data")},
        state={
            "words": State(ids.WORDS, "value"),
            "state": State(ids.OF_STATE, "value"),
            "favourite": State(ids.OF_FAVOURITES, "value"),
            "clicks": State(ids.MORE, "n_clicks"),
            "hung": State(ids.HUNG, "data"),
        },
        prevent_initial_call=True,
    )
    async def hang(
        look: int, words: str | None, state: str, favourite: bool, clicks: int | None, hung: list[Any]
    ) -> dict[str, Any]:
        asked = {"words": words or "", "state": "" if state == ANY else state, "favourite": favourite}
        limit = PAGE * (1 + (clicks or 0))
        shown = await asyncio.to_thread(wall, service, current_client(), asked, limit, hung)
        return {"looked": look, "shown": shown}

    @app.callback(Output(ids.GRANTED, "data"), Input(ids.WISH, "data"), prevent_initial_call=True)
    async def grant(wish: dict[str, Any]) -> dict[str, Any]:
        try:
            await asyncio.to_thread(fulfil, service, current_client(), wish["do"], wish["run"])
        except NstError as error:
            toast(str(error))
            return {**wish, "failed": True}
        return wish


def wall(service: Service, client: str, asked: dict[str, Any], limit: int, hung: list[Any]) -> dict[str, Any]:
    """What the gallery shows of a client's runs, by the names of SHOWN.

    `asked` are arguments of `Archive.find`; `hung` are the marks of the cards that hang there already.
    """
    found = service.archive.find(client, **asked, limit=limit + 1)
    cards = [Card.of(service, run, liked) for run, liked in found[:limit]]
    used, more = service.archive.used(), len(found) > limit
    return {
        "wall": rehung(cards, hung),
        "hung": [card.mark for card in cards],
        "found": f"The newest {limit} runs" if more else count(len(cards), "run") if cards else "",
        "none_yet": bool(cards) or any(asked.values()),
        "none_found": bool(cards) or not any(asked.values()),
        "no_more": not more,
        "used": str(used),
        "used_max": str(service.archive.limit),
        "used_text": f"{used / GIGABYTE:.2f} of {service.archive.limit / GIGABYTE:g} GB on disk",
    }


def rehung(cards: list[Card], hung: list[Any]) -> Any:
    """The wall's children: all of them where some have gone, come or moved, else a patch of those that have changed."""
    if [mark[0] for mark in hung] != [card.run.id for card in cards[: len(hung)]]:
        return [card.component() for card in cards]
    changed = [n for n, mark in enumerate(hung) if mark != cards[n].mark]
    if not changed and len(cards) == len(hung):
        return no_update
    patch = Patch()
    for n in changed:
        patch[n] = cards[n].component()
    for card in cards[len(hung) :]:
        patch.append(card.component())
    return patch


def fulfil(service: Service, client: str, what: str, run_id: str) -> None:
    """Do what a button of a card says: like, unlike, delete or restore. Raises NotFound, Conflict."""
    run = service.archive.deleted(run_id) if what == "restore" else service.store.run(run_id)
    if client not in ("", run.client):
        raise NotFound(f"there is no run {run_id[:80]!r}")
    if what == "restore":
        service.archive.restore(run_id)
    elif what == "delete":
        service.archive.delete(run_id)
    else:
        service.archive.like(run_id, what == "like")
