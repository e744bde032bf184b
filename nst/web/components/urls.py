"""Addresses that the pages link to, and the run that an address names."""

import json
import re
from urllib.parse import parse_qs, urlencode

from nst.options.fast_options import FastOptions
from nst.options.picture_roles import STYLE_ROLES
from nst.runs.run import Run
from nst.web.service.pictures import without_suffix

RUN_THUMBNAIL_SIDE = 512  # px
SHA256_LENGTH = 64  # hex digits: no name of a style is as long
LONGEST_NAME = 60  # characters of a picture's name in that of a file


def thumbnail_url(ref: str, side: int) -> str:
    """Return the address of a picture's thumbnail within `side` x `side` px; `ref` as in service/pictures.py."""
    return f"/api/v1/{ref}.jpg?side={side}"


def original_url(ref: str) -> str:
    """Return the address of a picture, or of the content of "runs/ID", at the size in which a result is compared."""
    return f"/api/v1/instant/{ref}.jpg"


def file_stem(run: Run) -> str:
    """Return what files of a run are called, without suffix, as its pictures are: "lake-night-wind"."""
    roles = ("content", *STYLE_ROLES) if run.fast else ("content", "style")
    names = (without_suffix(run.names.get(role, "").rpartition("/")[2]) for role in roles)
    words = (re.sub(r"\W+", "-", name).strip("-").lower()[:LONGEST_NAME] for name in names)
    return "-".join(word for word in words if word) or f"painting-{run.id[:8]}"


def run_thumbnail_url(run: Run) -> str:
    """Return the address of the thumbnail of a run with frames; it changes whenever the run does."""
    return f"/api/v1/runs/{run.id}/thumbnail.jpg?side={RUN_THUMBNAIL_SIDE}&last={run.last}"


def run_file(run: Run) -> str:
    """Return the file of a run to download, relative to the run's address: its result, else its last frame, else ""."""
    if run.has_result:
        return "result.png"
    return f"frames/{run.epoch}.jpg" if run.frames else ""


def run_file_name(run: Run, file: str) -> str:
    """Return the name under which a file of a run is saved, with the epoch: "lake-night-wind-epoch-20.jpg".

    A picture painted in one pass has no epoch.
    """
    epoch = "" if run.fast else f"-epoch-{run.epoch}"
    return f"{file_stem(run)}{epoch}.{file.rpartition('.')[2]}"


def run_url(run_id: str) -> str:
    """Return the address of the Studio page that shows a run."""
    return f"/?run={run_id}"


def instant_url(run: Run) -> str:
    """Return the address of the Instant page with the picture, the styles and the options of a kept result."""
    assert run.fast is not None
    defaults = FastOptions().to_json()
    mix = sorted(run.fast["mix"].items(), key=lambda item: -item[1])
    names = [f"uploads/{name}" if len(name) == SHA256_LENGTH else name for name, _ in mix]
    styles = [f"{name}:{round(100 * weight)}" for name, (_, weight) in zip(names, mix, strict=True)]
    query = {
        "picture": f"uploads/{run.content}",
        "style": styles if len(styles) > 1 else names,
        "painting": [name for name in names if "/" in name],
        **{name: json.dumps(value) for name, value in run.fast["options"].items() if value != defaults[name]},
    }
    return f"/instant?{urlencode(query, doseq=True, safe='/:')}"


def compare_url(first: str, second: str, view: str = "") -> str:
    """Return the address of the page that compares two runs; `view` is "side" for side by side."""
    return f"/compare?a={first}&b={second}" + (f"&view={view}" if view else "")


def run_id_of(search: str | None, parameter: str = "run") -> str:
    """Return the run that the query of an address names, "" if none.

    "?run=<id>" shows the run, "?like=<id>" only fills the form with its settings.
    """
    return parse_qs((search or "").lstrip("?")).get(parameter, [""])[0]
