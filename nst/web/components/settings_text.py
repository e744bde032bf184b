"""The settings of runs in words, and what tells runs of the same pictures apart."""

from collections.abc import Iterable, Sequence
from typing import Any

from nst.options.option_field import Option, option_text, options_of
from nst.options.style_options import StyleOptions
from nst.runs.run import Run
from nst.web.components.form.option_fields import choice_label

MOST_DIFFERING = 3  # settings that a card or a link names


def differing_options(runs: Sequence[Run]) -> list[Option]:
    """Return the options that do not have the same value in all of `runs`, as these began."""
    values = [run.options.to_json() for run in runs]
    return [option for option in options_of(StyleOptions) if len({str(each[option.name]) for each in values}) > 1]


def setting_of(run: Run, option: Option) -> str:
    """Return the value that an option had when the run began, with its unit; "" where it has no effect on such a run.

    Options of a mix need several paintings, and those of a mask need one.
    """
    if (option.group == "styles" and not run.more_styles) or (option.group == "mask" and not run.mask):
        return ""
    return value_text(option, getattr(run.options, option.name))


def value_text(option: Option, value: Any) -> str:
    """Return a value of an option in words, with its unit."""
    text = choice_label(option, value) if option.choices else option_text(value)
    return f"{text} {option.unit}".rstrip()


def differing_settings(runs: Iterable[Run]) -> dict[str, dict[str, str]]:
    """Return for each run, by its id, what tells it from runs of the same content and paintings, in words, by name.

    A name is that of an option, as in {"strength": "Strength 2"}, or of a field of `Run`.
    """
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(("fast" if run.fast else "", run.content, *run.styles), []).append(run)
    return {run_id: found for group in groups.values() for run_id, found in _differences(group).items()}


def _differences(group: Sequence[Run]) -> dict[str, dict[str, str]]:
    """What tells each of a group from the others, by its id; see `differing_settings`."""
    values = {name: list(dict.fromkeys(getattr(run, name) for run in group)) for name in ("mask", "init", "first")}
    fields = {name for name, found in values.items() if len(found) > 1}
    options, found = differing_options(group), {}
    for run in group:
        texts = {
            "mask": _numbered("mask", run.mask, values["mask"]) or ("masked" if run.mask else "no mask"),
            "init": _numbered("starting picture", run.init, values["init"]),
            "first": f"from epoch {run.first}" if run.first else "",
        }
        settings = {option: setting_of(run, option) for option in options}
        found[run.id] = {name: text for name, text in texts.items() if text and name in fields} | {
            option.name: f"{option.label} {setting}" for option, setting in settings.items() if setting
        }
    return found


def _numbered(name: str, picture: str | None, pictures: Iterable[str | None]) -> str:
    """The name with the number of a picture among those that differ; "" for None, or where there is only one."""
    found = list(filter(None, pictures))
    return f"{name} {found.index(picture) + 1}" if picture and len(found) > 1 else ""


def titled(title: str, differing: Iterable[str]) -> str:
    """Return the title of a run with what tells it apart: "lake after night (Strength 2)"."""
    return f"{title} ({found})" if (found := ", ".join([*differing][:MOST_DIFFERING])) else title
