"""The folder of a training: what it needs to go on after it was ended or killed, its previews and its report page.

This module does not train: it is given losses, pictures and the state, and writes them.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nst import __version__
from nst.atomic_write import atomic_write
from nst.errors import InputError
from nst.options.train_options import TrainOptions
from nst.pictures.images import Array, encode_jpeg
from nst.runs.humanize import duration
from nst.styles import training_report
from nst.styles.network_plan import Plan
from nst.styles.style_file import StyleFile
from nst.styles.style_to_learn import StyleToLearn

if TYPE_CHECKING:
    from nst.engine.training.photos import Photos
    from nst.engine.training.train import Previewed

PREVIEW_QUALITY = 85  # JPEG, of previews
CHANGEABLE = ("minutes", "steps", "patience", "preview")  # options that may differ when a training is continued


class TrainingFolder:
    """A folder with checkpoint.npz, training.json (what is trained), report.html, and previews as JPEGs.

    Args:
        folder: need not exist yet.
        styles: to be learned.
        base: the network that they are added to, or the plan of a new one.
        photos: the photos of the training.
        options: resolved.
        machine: hardware and versions, for the report.
    """

    def __init__(
        self,
        folder: Path,
        styles: Sequence[StyleToLearn],
        base: StyleFile | Plan,
        photos: "Photos",
        options: TrainOptions,
        machine: Mapping[str, str],
    ) -> None:
        self._folder, self._styles, self._options, self._machine = folder, styles, options, machine
        self._photos = {"photos": photos.count, "folder": photos.folder}
        identity = {
            "styles": {style.name: style.sha256 for style in styles},
            "network": base.network if isinstance(base, StyleFile) else asdict(base),
            "photos": self._photos["folder"],
            **{name: value for name, value in options.to_json().items() if name not in CHANGEABLE},
        }
        self._identity = json.loads(json.dumps(identity))  # with lists for tuples, to compare it with the file's

    def open(self, restart: bool) -> bytes | None:
        """The checkpoint to continue from; None if there is none yet, or if `restart`.

        Raises InputError if the folder has another training.
        """
        checkpoint = self._folder / "checkpoint.npz"
        if checkpoint.is_file() and not restart:
            if others := self._differences():
                raise InputError(f"{str(self._folder)!r} has a training with other {others}; --restart begins anew")
            return checkpoint.read_bytes()
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in (checkpoint, *self._folder.glob("preview-*.jpg")):
            path.unlink(missing_ok=True)
        self._write("training.json", json.dumps(self._identity, indent=1).encode())
        return None

    def keep(self, pictures: Sequence[Array], history: Sequence["Previewed"], state: bytes) -> None:
        """Write the last preview, a checkpoint and the report.

        Args:
            pictures: of the last preview, [h, w, 3] in 0..1: the photo, then it in each style.
            history: all previews, oldest first.
            state: what the training can be continued from.
        """
        photo, *painted = pictures
        self._write("preview-photo.jpg", encode_jpeg(photo, PREVIEW_QUALITY))
        for style, picture in zip(self._styles, painted, strict=True):
            self._write(_preview_name(history[-1].step, style.name), encode_jpeg(picture, PREVIEW_QUALITY))
        self._write("checkpoint.npz", state)
        self._write_report(history, running=True)

    def close(self, history: Sequence["Previewed"]) -> None:
        """Write the final report, which no longer reloads itself."""
        self._write_report(history, running=False)

    def provenance(self, last: "Previewed") -> dict[str, Any]:
        """The entry of a style file about how its styles were learned, up to the preview `last`."""
        return {
            "nst": __version__,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            **self._photos,
            "extractor": self._options.extractor,
            "minutes": round(last.seconds / 60, 1),
            "steps": last.step,
            "losses": {name: round(loss, 4) for name, loss in last.losses.items()},
            "options": self._options.to_json(),
        }

    def _differences(self) -> str:
        """The names of settings in which the folder's training differs from this one."""
        try:
            kept = json.loads((self._folder / "training.json").read_bytes())
            return ", ".join(name for name, value in self._identity.items() if kept.get(name) != value)
        except (OSError, ValueError, AttributeError):
            return "settings"

    def _write_report(self, history: Sequence["Previewed"], running: bool) -> None:
        previews = [
            training_report.Preview(past.step, past.seconds, past.losses, self._previews_of(past.step))
            for past in history
        ]
        status = "Not begun."
        if history:
            last, most = history[-1], duration(60 * (self._options.minutes or 0))
            verb = f"Running, for at most {most}" if running else "Ended"
            status = f"{verb}: step {last.step}, {duration(last.seconds)} of training."
        tables = {"Settings": {**self._photos, **self._options.to_json()}, "Machine": self._machine}
        photo = self._read("preview-photo.jpg")
        page = training_report.report_page(self._styles, photo, previews, status, tables, running)
        self._write("report.html", page.encode())

    def _previews_of(self, step: int) -> dict[str, bytes]:
        """JPEGs by style."""
        found = {style.name: self._read(_preview_name(step, style.name)) for style in self._styles}
        return {name: jpeg for name, jpeg in found.items() if jpeg}

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        return path.read_bytes() if path.is_file() else b""

    def _write(self, name: str, data: bytes) -> None:
        with atomic_write(self._folder / name) as part:
            part.write_bytes(data)


def _preview_name(step: int, name: str) -> str:
    return f"preview-{step:06}-{name}.jpg"
