"""The settings of runs in words, and those in which runs differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from nst.options.option_field import Option, options_of
from nst.options.style_options import StyleOptions
from nst.runs.run import Run


def differing_options(runs: Sequence[Run]) -> list[Option]:
    """Return the options that do not have the same value in all of `runs`, as these began."""
    values = [run.options.to_json() for run in runs]
    return [option for option in options_of(StyleOptions) if len({str(each[option.name]) for each in values}) > 1]


def setting_text(value: Any) -> str:
    """Return the value of an option in words, such as "automatic", "yes", "2" or "block1_conv1 0.4, block2_conv1 1"."""
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{layer} {weight:g}" for layer, weight in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def setting_of(run: Run, option: Option) -> str:
    """Return the value that an option had when the run began, with its unit."""
    return f"{setting_text(run.options.to_json()[option.name])} {option.unit}".rstrip()
