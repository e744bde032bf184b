"""The callbacks of Refine on the Instant page: a result goes to the Studio page, as the start of a painting."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update, set_props

from nst.errors import NotFound, NstError
from nst.options.picture_roles import STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.pictures import images
from nst.pictures.samples import STYLES
from nst.runs.schedule import cost, schedule
from nst.web import ids, instant_ids
from nst.web.callbacks.form.whole_form import FORM_OUTPUTS, UNCHANGED, filled
from nst.web.components.toast import show_error
from nst.web.service.fast_styles import FastResult, shrink
from nst.web.service.pictures import is_ref
from nst.web.service.service import Service


@dataclass(frozen=True)
class StyleSource:
    """What a run can take a style from."""

    title: str  # of the style
    choice: Mapping[str, str] | None = None  # {"ref", "title"} of its painting or a texture; None without
    is_texture: bool = False


@dataclass(frozen=True)
class Refinement:
    """What the form of the Studio page is filled with, to refine a result."""

    choices: Mapping[str, Any]  # by role
    options: StyleOptions
    sources: Iterable[StyleSource]  # of the styles of the result, those with most weight first

    @property
    def note(self) -> str:
        """What the page says of it, and of what is left to choose."""
        missing = ", ".join(source.title for source in self.sources if not source.choice)
        textures = ", ".join(source.title for source in self.sources if source.is_texture)
        sentences = [
            "The result is what the painting starts from. The run takes no longer than any other, and paints at "
            f"{self.options.size} px, whatever the size of the result."
        ]
        if not self.choices["style"]:
            sentences.append("Choose the painting of its style, and press Start.")
        elif missing:
            sentences.append(f"Its styles are chosen too, without {missing}: add a painting for that, or press Start.")
        else:
            sentences.append("Its style is chosen too: press Start.")
        if textures:
            sentences.append(
                f"The style picture of {textures} is a texture with the statistics of the painting; you may choose the "
                "painting itself in its place."
            )
        return " ".join(sentences)


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("startPicture", "show"),
        Output(ids.START_PICTURE, "hidden"),
        Output(ids.START_IMAGE, "src"),
        Output(ids.START_HINT, "children"),
        Input(ids.value("init"), "value"),
        Input(ids.choice("init"), "data"),
        Input(ids.choice("style"), "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        output={
            "path": Output(ids.URL, "pathname"),
            "search": Output(ids.URL, "search", allow_duplicate=True),
            **FORM_OUTPUTS,
        },
        inputs={"clicks": Input(instant_ids.REFINE, "n_clicks")},
        state={"shown": State(instant_ids.SHOWN_RESULT, "data")},
        prevent_initial_call=True,
    )
    async def refine(clicks: int, shown: dict[str, Any]) -> dict[str, Any]:
        try:
            found = await asyncio.to_thread(refinement, service, shown)
        except NstError as error:
            show_error(error, "The result was not taken to the Studio")
            return {"path": no_update, "search": no_update, **UNCHANGED}
        set_props(instant_ids.NOTE, {"is_open": True, "header": "Refine", "children": found.note})
        return {"path": "/", "search": "", **filled(found.options, found.choices)}


def refinement(service: Service, shown: Mapping[str, Any]) -> Refinement:
    """Return what the Studio page refines a result with.

    A style that no painting is here for is left out; without any, the chooser of the style is emptied. Raises NotFound,
    ImageError, Busy, DiskFull.
    """
    found = service.result_cache.get(shown["key"])
    choices: dict[str, Any] = {
        "mask": None,
        "style": False,
        "content": shown["photo"],
        "init": {"ref": service.pictures.keep(_uploadable(found), shown["file"]), "title": shown["file"]},
    }
    mix = sorted(((style, weight) for style, weight in found.mix.items() if weight > 0), key=lambda item: -item[1])
    sources = [style_source(service, style) for style, _ in mix]
    used = [(source.choice, weight) for source, (_, weight) in zip(sources, mix, strict=True) if source.choice]
    choices |= {role: choice for role, (choice, _) in zip(STYLE_ROLES, used, strict=False)}
    shares = tuple(round(weight, 3) for _, weight in used) if len(used) > 1 else None
    options = refining_options(*service.pictures.shape(shown["photo"]["ref"]), shares)
    return Refinement(choices, options, sources)


def refining_options(height: int, width: int, shares: tuple[float, ...] | None = None) -> StyleOptions:
    """Return options that refine a result of a content of `height` x `width` px; `shares` are those of its paintings.

    All steps are at full size, because the start has details, so there are fewer epochs than by default: as many as
    take no longer than a run with the defaults.
    """
    options = StyleOptions(init="image", style_mix=shares)
    [scale] = schedule(height, width, options)
    steps = cost(schedule(height, width, StyleOptions())) // scale.step_cost
    return replace(options, epochs=steps // options.steps_per_epoch)


def style_source(service: Service, style: str) -> StyleSource:
    """Return what a run can take a style from, the name of a fast style or the reference of a painting.

    It is a stored painting, a sample, or the picture in the style's file. Raises Busy, DiskFull.
    """
    try:
        if is_ref(style):
            choice = service.pictures.choice_of(style)
            return StyleSource(choice["title"], choice)
        found = service.library.find(style).style
    except NotFound:  # renamed or removed meanwhile
        return StyleSource("a style that was removed")
    names = {style, found.title, str(found.provenance.get("learned_from"))}
    sample = next((sample for sample in STYLES if names & {sample.name, sample.title}), None)
    if sample:
        return StyleSource(found.title, {"ref": f"samples/{sample.name}", "title": sample.title})
    if found.picture_kind == "example" or not found.picture:
        return StyleSource(found.title)
    choice = {"ref": service.pictures.keep(found.picture, f"{found.title}.jpg"), "title": found.title}
    return StyleSource(found.title, choice, found.picture_kind == "texture")


def _uploadable(found: FastResult) -> bytes:
    """The file of a result, made smaller if it exceeds the limit of uploads, in bytes or in the size of a run."""
    if len(found.data) <= images.MAX_BYTES:
        return found.data
    return shrink(found.data, int(StyleOptions.option("size").high or 0), len(found.data))
