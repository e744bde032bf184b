"""Settings to compare, and their paintings as files: painted to the end as the studio paints them, or refused.

A painting is a result of `nst.worker.runner`, so its file says how it was painted; what is kept from an earlier run is
used only if that agrees with what is asked for, down to the hashes of both pictures and of the network's weights.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.pairs import Pair
from nst.atomic_write import atomic_write
from nst.engine.networks import weights as weight_files
from nst.engine.networks.download import md5_of
from nst.errors import InputError, NstError, OptionError, WeightsError
from nst.options.option_field import LayerWeights, Option, did_you_mean, number, options_of
from nst.options.style_options import StyleOptions
from nst.pictures import provenance
from nst.runs.job import StyleJob
from nst.worker.style_run import StyleRun

OPTIONS = {option.name: option for option in options_of(StyleOptions)}
RECORD = "painted.json"  # beside the paintings of a setting: the md5 of the weights; seconds and epochs by pair


class Unfinished(NstError):
    """A painting did not end as it should."""


@dataclass(frozen=True)
class Setting:
    """A network and options to paint with, and its name in tables and of its folder."""

    name: str
    options: StyleOptions

    @property
    def folder(self) -> str:
        """The name as a folder's."""
        return re.sub(r"[^\w.=,-]+", "-", self.name)


def settings_of(networks: Sequence[str], texts: Sequence[str], size: int, seed: int) -> list[Setting]:
    """Each network with each of the settings ("strength=5,init=content"; none: the defaults). Raises OptionError."""
    found = [
        Setting(
            f"{network} {text}".strip(),
            StyleOptions.from_json({"size": size, "seed": seed, **options_in(text), "extractor": network}),
        )
        for network in networks
        for text in texts or ("",)
    ]
    names = [setting.folder for setting in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise OptionError(f"settings must differ; two are {twice!r}")
    return found


def options_in(text: str) -> dict[str, Any]:
    """The options that "NAME=VALUE,NAME=VALUE" gives, not yet checked. Raises OptionError for a name that is none.

    Layers and weights have commas, too: after `content_layers` or `style_layers` a part that begins with no option's
    name belongs to them.
    """
    given: dict[str, str] = {}
    last = ""
    for part in filter(None, text.split(",")):
        name, sign, value = part.partition("=")
        if name not in OPTIONS and last and OPTIONS[last].type is LayerWeights:
            given[last] += f",{part}"
            continue
        if not sign:
            raise OptionError(f"`--set` must look like NAME=VALUE,NAME=VALUE; got {part!r}")
        if name not in OPTIONS:
            raise OptionError(f"`--set`: there is no option {name!r}{did_you_mean(name, OPTIONS)}", name)
        if name == "extractor":
            raise OptionError("`--set`: the extractor is named by `--networks`", name)
        given[name], last = value, name
    return {name: _value(OPTIONS[name], value) for name, value in given.items()}


def _value(option: Option, text: str) -> Any:
    if option.type is bool:
        return {"true": True, "false": False}.get(text, text)
    return number(text) if option.type in (int, float) else text


class Paintings:
    """Paintings of one setting in a folder: those that are missing are painted, the others checked.

    Args:
        folder: made if need be; InputError where it holds paintings by other weights.
        setting: what to paint with. Raises WeightsError where its network is not there.
    """

    def __init__(self, folder: Path, setting: Setting) -> None:
        self._folder, self._setting = folder, setting
        network = setting.options.extractor
        file = weight_files.locate(network)
        if file is None:
            raise WeightsError(f"the weights of {network} are missing. {weight_files.how_to_get(network)}")
        weights = md5_of(file)
        record = folder / RECORD
        self._record: dict[str, Any] = {"weights": weights, "seconds": {}, "epochs": {}}
        if record.exists():
            self._record = json.loads(record.read_text(encoding="utf-8"))
        if self._record["weights"] != weights:
            raise InputError(f"{str(folder)!r} holds paintings by other weights of {network}; name another folder")

    def file_of(self, pair: Pair) -> tuple[Path, float]:
        """(the painting's file, seconds that it took). Raises NstError where it does not end, or is another one."""
        path = self._folder / f"{pair.name}.png"
        job = StyleJob(pair.content.read_bytes(), pair.style.read_bytes(), self._setting.options)
        if path.exists():
            pictures = {"content": job.content, "style": job.style}
            self._check(path, {role: hashlib.sha256(data).hexdigest() for role, data in pictures.items()})
        else:
            try:
                data, seconds = paint(job)
            except NstError as error:
                raise Unfinished(f"{pair.name}, {self._setting.name}: {error}") from None
            self._record["seconds"][pair.name] = seconds
            self._record.setdefault("epochs", {})[pair.name] = provenance.read(data, path.name).epochs
            for file, content in ((path, data), (self._folder / RECORD, json.dumps(self._record).encode())):
                with atomic_write(file) as part:
                    part.write_bytes(content)
        return path, self._record["seconds"][pair.name]

    def _check(self, path: Path, pictures: dict[str, str]) -> None:
        """Raise InputError unless the painting at `path` is of these pictures (hashes) with this setting, and whole."""
        found = provenance.read_file(path)
        # One that converged has fewer than it might have had.
        most = found.epochs if found.options.epochs == "auto" else found.options.most_epochs
        painted = self._record.get("epochs", {}).get(path.stem, most)
        if found.options != self._setting.options or found.steered or found.branched:
            reason = "with other options"
        elif {"content": found.content, "style": found.style} != pictures:
            reason = "from other pictures"
        elif found.epochs != painted:
            reason = f"for {found.epochs} of {painted} epochs"
        elif path.stem not in self._record["seconds"]:
            reason = "by something else"
        else:
            return
        raise InputError(f"{str(path)!r} was painted {reason}; name another folder to keep")


def paint(job: StyleJob) -> tuple[bytes, float]:
    """(PNG, seconds without start-up) of a painting that ended. Raises NstError, Unfinished where it stopped early."""
    painting = StyleRun(job)
    last = None
    for step in painting.steps():
        last = step
    seconds = painting.seconds
    if last is None or last.step != last.steps or not np.isfinite(last.image).all():
        where = f"step {last.step} of {last.steps}" if last else "its start"
        raise Unfinished(f"the painting did not end as it should: it stopped at {where} or is not finite")
    return painting.result(), seconds
