"""What the page and the REST interface both ask for: pictures kept, samples fetched, runs started and described.

A picture is meant by a ref, "samples/<name>" or "uploads/<id>", which is also its place under /api/v1.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from nst import images
from nst.errors import OptionError, OutOfMemory
from nst.estimates import Calibration, calibration_for, estimate
from nst.jobs.queue import Queue
from nst.jobs.run import Run, State
from nst.jobs.store import Store
from nst.options import StyleOptions
from nst.settings import Settings
from nst.web.gallery import ORDER, Gallery

Shape = tuple[int, int]  # (height, width), px

PACED_BY = 3  # of the last runs that say how much longer than estimated a painting takes
REMEMBERED = 30  # runs that are looked through for them


@dataclass(frozen=True)
class Desk:
    """What a server has, and what its visitors do with it. Its methods may be slow: use a thread."""

    settings: Settings
    store: Store
    queue: Queue
    gallery: Gallery
    _shapes: dict[str, Shape] = field(default_factory=dict, compare=False)  # by ref
    _opened: float = field(default_factory=time.time, init=False, compare=False)  # seconds since 1970

    def keep(self, data: bytes, name: str) -> str:
        """Check that `data` is a picture that can be painted, and keep it; returns its ref. Raises ImageError."""
        shape = _shape(data, name)
        ref = f"uploads/{self.store.put_upload(data, name.rpartition('/')[2])}"  # only a sample's name has a slash
        self._shapes[ref] = shape
        return ref

    def thumbnail(self, ref: str, side: int) -> bytes:
        """A picture within `side` x `side` px, JPEG. Raises NotFound."""
        kind, _, name = ref.partition("/")
        if kind == "samples":
            return self.gallery.thumbnail(name, side).read_bytes()
        return images.thumbnail(self.store.upload(name), side)

    def upload_of(self, ref: str) -> str:
        """The id of the upload that `ref` means; a sample becomes one. Raises NotFound."""
        kind, _, name = ref.partition("/")
        if kind == "samples":
            return self.store.put_upload(self.gallery.path(name).read_bytes(), ref)
        self.store.upload_path(name)
        return name

    def choice_of(self, upload_id: str) -> dict[str, str]:
        """{"ref", "title"} of an upload; one that was a sample is that sample again."""
        name = self.store.upload_name(upload_id)
        sample = next((sample for sample in ORDER if f"samples/{sample.name}" == name), None)
        if sample:
            return {"ref": name, "title": sample.title}
        return {"ref": f"uploads/{upload_id}", "title": name or "a picture"}

    def shape(self, ref: str) -> Shape:
        """(height, width) of a picture, upright, px. Raises NotFound."""
        if ref not in self._shapes:
            kind, _, name = ref.partition("/")
            data = self.gallery.path(name).read_bytes() if kind == "samples" else self.store.upload(name)
            self._shapes[ref] = _shape(data, name)
        return self._shapes[ref]

    def forecast(self, options: StyleOptions, content: str | Shape, style: str | None = None) -> dict[str, Any] | None:
        """What a run will take: `Estimate.to_json` at the pace of late, and the "extractor" and "precision" it is for.

        `content` is a ref, or its (height, width). None until a worker has said what its machine has. Raises NotFound,
        and OptionError where the network's weights are missing, or the run would not fit into the worker's memory.
        """
        asked = self.queue.extractors().get(options.extractor)
        if asked and not asked["installed"]:
            raise OptionError(f"`extractor` cannot be {options.extractor!r}: {asked['how']}", "extractor")
        health = self.queue.health()
        network = health.get("auto") if options.extractor == "auto" else options.extractor
        precision = health.get("precision") if options.precision == "auto" else options.precision
        if network is None or precision is None or "memory" not in health:
            return None
        known = [Calibration.from_json(each) for each in health.get("calibrations", ())]
        speed = calibration_for(network, precision, known)
        height, width = self.shape(content) if isinstance(content, str) else content
        try:
            found = estimate(
                height,
                width,
                options,
                network,
                precision,
                speed,
                health["memory"],
                self.shape(style) if style else None,
            )
        except OutOfMemory as error:
            raise OptionError(str(error), "size") from error
        seconds = found.seconds * self._pace(speed) if found.seconds and speed else None
        return {**found.to_json(), "seconds": seconds, "extractor": network, "precision": precision}

    def _pace(self, speed: Calibration) -> float:
        """What the last whole runs on that network took since the server is up, over what was estimated for them.

        The machine may have been busy while it was calibrated, or be now. Long runs count for more than short ones.
        """
        runs = [
            run
            for run in self.store.runs(REMEMBERED)
            if run.state is State.FINISHED
            and (run.extractor, run.precision) == (speed.network, speed.precision)
            and not (run.tiled or run.options.epochs == "auto")
            and run.created > self._opened
        ][:PACED_BY]
        told = [
            estimate(run.height, run.width, run.options, run.extractor, run.precision, speed).seconds for run in runs
        ]
        return sum(run.seconds for run in runs) / sum(seconds or 0.0 for seconds in told) if runs else 1.0

    def start(self, options: StyleOptions, content: str, style: str, init: str | None = None) -> Run:
        """Queue a painting of the pictures that three refs mean. Raises NotFound, OptionError, Busy."""
        if (options.init == "image") != (init is not None):
            missing = "no picture to start from was given" if init is None else "a picture to start from was given"
            raise OptionError(f"`init` is {options.init!r}, but {missing}", "init")
        self.forecast(options, content, style)  # refuses what cannot be painted
        self.queue.check_room()
        run = self.store.create(
            options, self.upload_of(content), self.upload_of(style), self.upload_of(init) if init else None
        )
        self.queue.submit(run)
        return run

    def place(self, run: Run) -> int | None:
        """Where a run stands in the line, the one being painted first: 1, 2, ...; None if it has ended."""
        line = [each.id for each in self.store.active()]
        return line.index(run.id) + 1 if run.id in line else None

    def describe(self, run: Run) -> dict[str, Any]:
        """A run as `GET /api/v1/runs/{id}` shows it."""
        base = f"/api/v1/runs/{run.id}"
        return {
            **run.to_json(),
            "queue_position": self.queue.position(run.id),
            "events": f"{base}/events",
            "result": f"{base}/result.png" if run.has_result else None,
        }


def _shape(data: bytes, name: str) -> Shape:
    picture = images.read(data, name, 64)
    return picture.height, picture.width
