"""The settings of runs in words, and those in which runs differ."""

from collections.abc import Sequence

from nst.options.option_field import Option, option_text, options_of
from nst.options.style_options import StyleOptions
from nst.runs.run import Run


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
    return f"{option_text(getattr(run.options, option.name))} {option.unit}".rstrip()
