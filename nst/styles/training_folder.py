"""The folder of a training: what it needs to go on after it was ended or killed, its previews and its report page.

This module does not train: it is told the losses and handed the pictures and the state.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nst import __version__
from nst.atomic_write import atomic_write
from nst.errors import InputError
from nst.options.train_options import TrainOptions
from nst.pictures.images import Array, encode_jpeg
from nst.runs.humanize import duration
from nst.styles import training_report
from nst.styles.style_file import Plan, StyleFile

if TYPE_CHECKING:
    from nst.engine.photos import Photos
    from nst.engine.train import Previewed

QUALITY = 85  # JPEG, of previews
WHILE = ("minutes", "steps", "patience", "preview")  # options that may be others when a training goes on


@dataclass(frozen=True, eq=False)
class Lesson:
    """A style to learn."""

    name: str
    title: str
    picture: Array  # [h, w, 3], 0..1, of the size to learn from
    thumbnail: bytes  # JPEG
    sha256: str  # of the picture's file


class TrainingFolder:
    """A folder with checkpoint.npz, training.json (what is trained), report.html, and previews as JPEGs.

    Args:
        folder: need not exist yet.
        lessons: the styles.
        base: the network they are learned on, or the plan of a new one.
        photos: what is trained on.
        options: settled.
        machine: what trains, for the report.
    """

    def __init__(
        self,
        folder: Path,
        lessons: Sequence[Lesson],
        base: StyleFile | Plan,
        photos: "Photos",
        options: TrainOptions,
        machine: Mapping[str, str],
    ) -> None:
        self._folder, self._lessons, self._options, self._machine = folder, lessons, options, machine
        self._photos = {"photos": photos.count, "folder": photos.folder}
        told = {
            "styles": {lesson.name: lesson.sha256 for lesson in lessons},
            "network": base.network if isinstance(base, StyleFile) else asdict(base),
            "photos": self._photos["folder"],
            **{name: value for name, value in options.to_json().items() if name not in WHILE},
        }
        self._told = json.loads(json.dumps(told))  # as it is when it is read again

    def open(self, restart: bool) -> bytes | None:
        """The checkpoint to go on from; None if there is none yet, or to `restart`.

        Raises InputError if it is one of another training.
        """
        checkpoint = self._folder / "checkpoint.npz"
        if checkpoint.is_file() and not restart:
            others = self._others()
            if others:
                raise InputError(f"{str(self._folder)!r} has a training with other {others}; --restart begins anew")
            return checkpoint.read_bytes()
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in (checkpoint, *self._folder.glob("preview-*.jpg")):
            path.unlink(missing_ok=True)
        self._write("training.json", json.dumps(self._told, indent=1).encode())
        return None

    def keep(self, pictures: Sequence[Array], history: Sequence["Previewed"], state: bytes) -> None:
        """Keep the last preview, `pictures` of the photo and of it in each style, and the state to go on from."""
        photo, *painted = pictures
        self._write("preview-photo.jpg", encode_jpeg(photo, QUALITY))
        for lesson, picture in zip(self._lessons, painted, strict=True):
            self._write(_preview(history[-1].step, lesson.name), encode_jpeg(picture, QUALITY))
        self._write("checkpoint.npz", state)
        self._report(history, running=True)

    def close(self, history: Sequence["Previewed"]) -> None:
        """Let the report rest."""
        self._report(history, running=False)

    def provenance(self, last: "Previewed") -> dict[str, Any]:
        """What a style file says of how its styles were learned."""
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

    def _others(self) -> str:
        """In what the training that is there differs from this one, in words."""
        try:
            there = json.loads((self._folder / "training.json").read_bytes())
            return ", ".join(name for name, value in self._told.items() if there.get(name) != value)
        except (OSError, ValueError, AttributeError):
            return "settings"

    def _report(self, history: Sequence["Previewed"], running: bool) -> None:
        looks = [
            training_report.Look(
                past.step,
                past.seconds,
                past.losses,
                {
                    lesson.name: data
                    for lesson in self._lessons
                    if (data := self._read(_preview(past.step, lesson.name)))
                },
            )
            for past in history
        ]
        subjects = [training_report.Subject(lesson.name, lesson.title, lesson.thumbnail) for lesson in self._lessons]
        told = {"Settings": {**self._photos, **self._options.to_json()}, "Machine": self._machine}
        state = "Not begun."
        if history:
            last, most = history[-1], duration(60 * (self._options.minutes or 0))
            verb = f"Running, for at most {most}" if running else "Ended"
            state = f"{verb}: step {last.step}, {duration(last.seconds)} of training."
        page = training_report.page(subjects, self._read("preview-photo.jpg"), looks, state, told, running)
        self._write("report.html", page.encode())

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        return path.read_bytes() if path.is_file() else b""

    def _write(self, name: str, data: bytes) -> None:
        """Whole or not at all."""
        with atomic_write(self._folder / name) as part:
            part.write_bytes(data)


def _preview(step: int, name: str) -> str:
    return f"preview-{step:06}-{name}.jpg"
