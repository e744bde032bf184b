"""Write docs/reference.md from the code: options, presets, settings, commands and routes.

Run `python -m tools.reference > docs/reference.md`; a test compares the file with what this prints.
"""

import argparse
import dataclasses
from collections.abc import Iterable, Iterator

from nst.cli.main import build_parser
from nst.cli.stylize import TIMELAPSE_FLAGS
from nst.options.fast_options import FastOptions
from nst.options.layer_presets import LAYER_PRESETS, LayerPreset
from nst.options.option_field import Numbers, Option, options_of
from nst.options.settings import Settings, flag_of
from nst.options.style_options import StyleOptions
from nst.options.train_options import TrainOptions
from nst.pictures.timelapse import TimelapseOptions
from nst.web.api import router

VARIABLES = {
    "NST_VGG19_WEIGHTS": "file with VGG19's weights in Keras' format, instead of the cache",
    "NST_VGG16_WEIGHTS": "file with VGG16's weights in Keras' format, instead of the cache",
    "NST_CACHE": "folder for downloaded weights, default the platform's cache folder",
    "KERAS_HOME": "where Keras keeps its own downloads, which are used when they are there, default ~/.keras",
}
OPTION_COLUMNS = ("option", "flag", "default", "may be", "what it does")
WITHOUT_FLAG = [option for option in options_of(TimelapseOptions) if option not in TIMELAPSE_FLAGS]


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def bounds(option: Option) -> str:
    """The values that the option may have."""
    if option.choices:
        return ", ".join(f"`{choice}`" for choice in option.choices)
    if option.type is Numbers:
        return f"up to {option.most} numbers, {option.low:g} to {option.high:g}"
    if option.low is not None and option.high is not None:
        words = "".join(f" or `{word}`" for word in option.words)
        return f"{option.type(option.low)} to {option.type(option.high)} {option.unit}".strip() + words
    return "yes or no" if option.type is bool else "layer=weight, ..."


def options(kind: type, prefix: str = "") -> Iterator[tuple[str, ...]]:
    """A row for each option; flags begin with `prefix`."""
    for option in options_of(kind):
        default = "automatic" if option.default is None else f"`{option.default}`"
        flag = "" if option in WITHOUT_FLAG else f"`--{prefix}{option.name}`".replace("_", "-")
        yield f"`{option.name}`", flag, default, bounds(option), option.help


def presets() -> Iterator[tuple[str, ...]]:
    """A row for each preset."""
    for name, preset in LAYER_PRESETS.items():
        yield f"`{name}`", ", ".join(preset.content), styles(preset), preset.help


def styles(preset: LayerPreset) -> str:
    """A preset's style layers, each with its share where they differ."""
    shares = [f" {share:g}" for share in preset.shares or ()] or [""] * len(preset.style)
    return ", ".join(layer + share for layer, share in zip(preset.style, shares, strict=True))


def settings() -> Iterator[tuple[str, ...]]:
    """A row for each setting, then the environment variables that have no flag."""
    for field in dataclasses.fields(Settings):
        yield f"`NST_{field.name.upper()}`", f"`{flag_of(field.name)}`", field.metadata["help"]
    for name, help in VARIABLES.items():
        yield f"`{name}`", "", help


def commands(parser: argparse.ArgumentParser, prefix: str = "nst") -> Iterator[tuple[str, ...]]:
    """A row for each command, with the flags that are neither options nor settings."""
    for group in (action for action in parser._actions if isinstance(action, argparse._SubParsersAction)):
        helps = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, child in group.choices.items():
            inner = list(commands(child, f"{prefix} {name}"))
            yield from inner or [(f"`{prefix} {name}`", helps[name], "; ".join(flags(child)))]


def flags(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The flags of a command that are neither options nor settings, each with its help."""
    known = {option.name for kind in (StyleOptions, FastOptions, TrainOptions) for option in options_of(kind)}
    known |= {f"timelapse_{option.name}" for option in options_of(TimelapseOptions)}
    known |= {field.name for field in dataclasses.fields(Settings)} | {"help"}
    for action in parser._actions:
        if action.option_strings and action.dest not in known:
            metavar = f" {action.metavar}" if action.metavar else ""
            flag = next(flag for flag in action.option_strings if flag.startswith("--"))
            yield f"`{flag}{metavar}`: {action.help}"


def routes() -> Iterator[tuple[str, ...]]:
    """A row for each route of the REST interface."""
    for route in router.routes:
        if getattr(route, "include_in_schema", False):
            summary = (route.endpoint.__doc__ or "").splitlines()[0]
            yield f"`{' '.join(sorted(route.methods))} {route.path}`", summary


def reference() -> str:
    """The whole page."""
    parts = [
        "# Reference",
        "Made from the code by `python -m tools.reference > docs/reference.md`.",
        "## Options of a painting",
        "The same names on the command line, in the REST interface, in Python and on the page.",
        table(OPTION_COLUMNS, options(StyleOptions)),
        "## Options of a picture in one pass",
        "Of `nst apply`, `POST /api/v1/stylize/fast`, `apply_style` and the page Instant.",
        table(OPTION_COLUMNS, options(FastOptions)),
        "## Options of a training",
        "Of `nst train`, which teaches the studio fast styles.",
        table(OPTION_COLUMNS, options(TrainOptions)),
        "## Options of a timelapse",
        "`--timelapse FILE` of `nst stylize` writes one; the suffix of FILE names the format.",
        table(OPTION_COLUMNS, options(TimelapseOptions, "timelapse_")),
        "## Layer presets",
        table(("preset", "content layers", "style layers", "source"), presets()),
        "## Settings",
        table(("variable", "flag of `python app.py` and `nst serve`", "what it is"), settings()),
        "## Commands",
        table(("command", "what it does", "flags of its own"), commands(build_parser())),
        "`nst` is `python -m nst` in a checkout; `nst COMMAND --help` lists the flags.\n"
        "Exit status: 0; 1 when the work failed; 2 when the input was bad; 130 after Ctrl-C.",
        "## REST interface",
        "A running studio documents it at `/docs`, with examples, and as OpenAPI at `/openapi.json`.",
        table(("route", "what it does"), routes()),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
