"""Write docs/reference.md from the code: options, presets, settings, commands and routes.

Run `python -m tools.reference > docs/reference.md`; a test compares the file with what this prints.
"""

import argparse
import dataclasses
from collections.abc import Iterable, Iterator

from nst.cli import build_parser
from nst.options import PRESETS, Option, Preset, StyleOptions, options_of
from nst.settings import Settings
from nst.web.api import router

VARIABLES = {
    "NST_VGG19_WEIGHTS": "file with VGG19's weights in Keras' format, instead of the cache",
    "NST_VGG16_WEIGHTS": "file with VGG16's weights in Keras' format, instead of the cache",
    "NST_CACHE": "folder for downloaded weights, default the platform's cache folder",
    "KERAS_HOME": "where Keras keeps its own downloads, which are used when they are there, default ~/.keras",
}


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def bounds(option: Option) -> str:
    """What the option may be, in words."""
    if option.choices:
        return ", ".join(f"`{choice}`" for choice in option.choices)
    if option.low is not None and option.high is not None:
        words = "".join(f" or `{word}`" for word in option.words)
        return f"{option.type(option.low)} to {option.type(option.high)} {option.unit}".strip() + words
    return "yes or no" if option.type is bool else "layer=weight, ..."


def options() -> Iterator[tuple[str, ...]]:
    """A row an option."""
    for option in options_of(StyleOptions):
        default = "automatic" if option.default is None else f"`{option.default}`"
        yield f"`{option.name}`", f"`--{option.name.replace('_', '-')}`", default, bounds(option), option.help


def presets() -> Iterator[tuple[str, ...]]:
    """A row a preset."""
    for name, preset in PRESETS.items():
        yield f"`{name}`", ", ".join(preset.content), styles(preset), preset.help
        if preset.compact:
            yield f"`{name}` on compact", ", ".join(preset.compact.content), styles(preset.compact), ""


def styles(preset: Preset) -> str:
    """A preset's style layers, each with its share where they differ."""
    shares = [f" {share:g}" for share in preset.shares or ()] or [""] * len(preset.style)
    return ", ".join(layer + share for layer, share in zip(preset.style, shares, strict=True))


def settings() -> Iterator[tuple[str, ...]]:
    """A row a setting, then the variables that only have an environment form."""
    for field in dataclasses.fields(Settings):
        yield f"`NST_{field.name.upper()}`", f"`--{field.name}`", field.metadata["help"]
    for name, help in VARIABLES.items():
        yield f"`{name}`", "", help


def commands(parser: argparse.ArgumentParser, prefix: str = "nst") -> Iterator[tuple[str, ...]]:
    """A row a command."""
    for group in (action for action in parser._actions if isinstance(action, argparse._SubParsersAction)):
        helps = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, child in group.choices.items():
            inner = list(commands(child, f"{prefix} {name}"))
            yield from inner or [(f"`{prefix} {name}`", helps[name])]


def routes() -> Iterator[tuple[str, ...]]:
    """A row a route of the REST interface."""
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
        table(("option", "flag", "default", "may be", "what it does"), options()),
        "## Layer presets",
        table(("preset", "content layers", "style layers", "source"), presets()),
        "## Settings",
        table(("variable", "flag of `python app.py` and `nst serve`", "what it is"), settings()),
        "## Commands",
        table(("command", "what it does"), commands(build_parser())),
        "`nst` is `python -m nst` in a checkout; `nst COMMAND --help` lists the flags.\n"
        "Exit status: 0; 1 when the work failed; 2 when the input was bad; 130 after Ctrl-C.",
        "## REST interface",
        "A running studio documents it at `/docs`, with examples, and as OpenAPI at `/openapi.json`.",
        table(("route", "what it does"), routes()),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
