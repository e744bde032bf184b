"""What the page and the REST interface both ask for: pictures kept, samples fetched, runs started and described.

A picture is meant by a ref, "samples/<name>" or "uploads/<id>", which is also its place under /api/v1.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nst.errors import Conflict, NotFound, NstError, OptionError, OutOfMemory
from nst.jobs.archive import Archive
from nst.jobs.queue import Queue
from nst.jobs.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures import images
from nst.pictures.samples import SAMPLES, Sample, find
from nst.runs.estimates import Calibration, auto_network, calibration_for, estimate
from nst.runs.run import Run, State
from nst.styles.style_library import Library
from nst.web.middleware.clients import current_client
from nst.web.service.fast_styles import FastStyles
from nst.web.service.result_cache import ResultCache
from nst.web.service.timelapses import Timelapses

Shape = tuple[int, int]  # (height, width), px

PACED_BY = 3  # of the last runs that say how much longer than estimated a painting takes
REMEMBERED = 30  # runs that are looked through for them
MOST_TOLD = 10_000  # forecasts of runs that wait


@dataclass(frozen=True)
class Service:
    """What a server has, and what its visitors do with it. Its methods may be slow: use a thread."""

    settings: Settings
    store: Store
    queue: Queue
    archive: Archive
    _shapes: dict[str, Shape] = field(default_factory=dict, compare=False)  # by ref
    _told: dict[str, float] = field(default_factory=dict, compare=False)  # seconds that runs in the line will take
    _opened: float = field(default_factory=time.time, init=False, compare=False)  # seconds since 1970
    _starting: threading.Lock = field(default_factory=threading.Lock, init=False, compare=False)

    @cached_property
    def timelapses(self) -> Timelapses:
        """The timelapses of the runs."""
        return Timelapses(self.store)

    @cached_property
    def library(self) -> Library:
        """The fast styles."""
        return Library(self.settings.data / "styles")

    def cancel_fetch(self, name: str) -> None:
        """End the download of a network's weights. Raises Conflict where several people share the studio."""
        if self.settings.many:
            raise Conflict("several people share this studio: only who runs it does without a network (NST_OFFLINE=1)")
        self.queue.cancel_fetch(name)

    def check_styles_change(self) -> None:
        """Raises Conflict where several people share the fast styles, which have no owner."""
        if self.settings.many:
            raise Conflict("several people share this studio: only who runs it changes its styles (`nst styles`)")

    @cached_property
    def fast_styles(self) -> FastStyles:
        """What paints with them."""
        return FastStyles(self.queue, self.library)

    @cached_property
    def result_cache(self) -> ResultCache:
        """What they painted last for the page."""
        return ResultCache()

    def keep(self, data: bytes, name: str) -> str:
        """Check that `data` is a picture that can be painted, and keep it; returns its ref. Raises ImageError."""
        shape = _shape(data, name)
        ref = f"uploads/{self.store.put_upload(data, name.rpartition('/')[2])}"  # only a sample's name has a slash
        self._shapes[ref] = shape
        return ref

    def picture(self, ref: str) -> bytes:
        """A picture's file. Raises NotFound."""
        kind, _, name = ref.partition("/")
        return _sample(name).path.read_bytes() if kind == "samples" else self.store.upload(name)

    def thumbnail(self, ref: str, side: int) -> bytes:
        """A picture within `side` x `side` px, JPEG. Raises NotFound."""
        kind, _, name = ref.partition("/")
        if kind == "samples":
            return _sample(name).thumbnail(side).read_bytes()
        return images.thumbnail(self.store.upload(name), side)

    def upload_of(self, ref: str) -> str:
        """The id of the upload that `ref` means; a sample becomes one. Raises NotFound."""
        kind, _, name = ref.partition("/")
        if kind == "samples":
            return self.store.put_upload(_sample(name).path.read_bytes(), ref)
        return self.store.use_upload(name)

    def choice_of(self, upload_id: str) -> dict[str, str]:
        """{"ref", "title"} of an upload; one that was a sample is that sample again."""
        name = self.store.upload_name(upload_id)
        sample = next((sample for sample in SAMPLES if f"samples/{sample.name}" == name), None)
        if sample:
            return {"ref": name, "title": sample.title}
        return {"ref": f"uploads/{upload_id}", "title": name or "a picture"}

    def shape(self, ref: str) -> Shape:
        """(height, width) of a picture, upright, px. Raises NotFound."""
        if ref not in self._shapes:
            self._shapes[ref] = _shape(self.picture(ref), ref.partition("/")[2])
        return self._shapes[ref]

    def forecast(self, options: StyleOptions, content: str | Shape, style: str | None = None) -> dict[str, Any] | None:
        """What a run will take: `Estimate.to_json` at the pace of late, and the "extractor" and "precision" it is for.

        "why" says in a sentence why "auto" stands for that extractor, "" where it was chosen. `content` is a ref, or
        its (height, width). None until a worker has said what its machine has. Raises NotFound, and OptionError where
        the network's weights are missing, or the run would not fit into the worker's memory.
        """
        health, asked = self.queue.health(), self.queue.extractors().get(options.extractor)
        if asked and not asked["installed"]:
            raise OptionError(f"`extractor` cannot be {options.extractor!r}: {asked['how']}", "extractor")
        precision = health.get("precision") if options.precision == "auto" else options.precision
        if "auto" not in health or precision is None or "memory" not in health:
            return None
        known = [Calibration.from_json(each) for each in health.get("calibrations", ())]
        shape = self.shape(content) if isinstance(content, str) else content
        size = self.shape(style) if style else None
        network, why = options.extractor, ""
        if network == "auto" and self.queue.extractors().get("vgg19", {}).get("installed"):
            network, why = auto_network(*shape, options, precision, known, health["memory"], size)
        elif network == "auto":
            network, why = "compact", "VGG19's weights are not here."
        speed = calibration_for(network, precision, known)
        try:
            found = estimate(*shape, options, network, precision, speed, health["memory"], size)
        except OutOfMemory as error:
            raise OptionError(str(error), "size") from error
        seconds = found.seconds * self._pace(speed) if found.seconds and speed else None
        return {**found.to_json(), "seconds": seconds, "extractor": network, "precision": precision, "why": why}

    def _pace(self, speed: Calibration) -> float:
        """What the last whole runs on that network took since the server is up, over what was estimated for them.

        The machine may have been busy while it was calibrated, or be now. Long runs count for more than short ones.
        """
        runs = [
            run
            for run in self.store.runs(REMEMBERED)
            if run.state is State.FINISHED
            and (run.extractor, run.precision) == (speed.network, speed.precision)
            and not (run.tiled or run.options.epochs == "auto" or run.converged or run.prolonged or run.parent)
            and run.created > self._opened
        ][:PACED_BY]
        told = [
            estimate(run.height, run.width, run.options, run.extractor, run.precision, speed).seconds for run in runs
        ]
        return sum(run.seconds for run in runs) / sum(seconds or 0.0 for seconds in told) if runs else 1.0

    def start(
        self,
        options: StyleOptions,
        content: str,
        style: str,
        init: str | None = None,
        *,
        client: str = "",
        gpu: bool = False,
        key: str = "",
    ) -> Run:
        """Queue a painting of the pictures that three refs mean. Raises NotFound, OptionError, Busy, TooMany.

        What `client` asked for before under the same `key` is not painted again: it is that run. Raises Conflict if it
        asked for something else.
        """
        pictures = self.upload_of(content), self.upload_of(style), self.upload_of(init) if init else None
        with self._starting:
            before = self.store.keyed(client, key) if key else None
            if before:
                if (before.options, before.content, before.style, before.init, before.gpu) != (options, *pictures, gpu):
                    raise Conflict(f"the key {key!r} was given for another painting before: run {before.id}")
                return before
            if (options.init == "image") != (init is not None):
                missing = "no picture to start from was given" if init is None else "a picture to start from was given"
                raise OptionError(f"`init` is {options.init!r}, but {missing}", "init")
            self.forecast(options, content, style)  # refuses what cannot be painted
            self._check_room(client)
            run = self.store.create(options, *pictures, client=client, gpu=gpu)
            if key:
                self.store.set_key(run, key)
        self.queue.submit(run)
        return run

    def branch(
        self, run_id: str, epoch: int, changes: Mapping[str, Any] | None = None, more: int = 0, client: str = ""
    ) -> Run:
        """Queue a new run that begins with the frame of `epoch` of another, with other live options.

        It paints to where the other was to end, and `more` epochs. Raises as `start`, and Conflict.
        """
        parent = self.store.run(run_id)
        self.store.files.frame(run_id, epoch)
        epochs = parent.epochs + more
        if epoch >= epochs:
            raise Conflict(f"epoch {epoch} is the last one of run {run_id}: say how many more to paint")
        options = parent.options_now.steered(changes or {}, parent.extractor)
        self._check_room(client, run_id)
        prolonged = parent.prolonged or more > 0
        run = self.store.branch(
            parent, epoch, options, epochs=epochs, prolonged=prolonged, client=client, gpu=parent.gpu
        )
        self.queue.submit(run)
        return run

    def own(self, run_id: str) -> Run:
        """A run that a page may change: of a studio of many, one of its own client. Raises NotFound, Conflict."""
        run = self.store.run(run_id)
        if current_client() not in ("", run.client):
            raise Conflict("this run is somebody else's: you can watch it, and branch from it")
        return run

    def steer(self, run_id: str, changes: Mapping[str, Any]) -> None:
        """Change live options of a run from its next step on. Raises NotFound, OptionError, Conflict."""
        run = self.store.run(run_id)
        if not changes:
            raise OptionError("name at least one option to change")
        run.options_now.steered(changes, run.extractor or self._will_paint(run))
        self.queue.steer(run_id, changes)

    def resume(self, run_id: str, more: int = 0, changes: Mapping[str, Any] | None = None) -> None:
        """Let a run that rests go on, for `more` epochs than it was to have. Raises NotFound, OptionError, Conflict."""
        run = self.store.run(run_id)
        if changes:
            run.options_now.steered(changes, run.extractor)
        self._check_room(run.client, run_id)
        self.queue.resume(run_id, more)
        if changes:
            self.queue.steer(run_id, changes)

    def _will_paint(self, run: Run) -> str:
        """The network of a run that has not started."""
        forecast = self.forecast(run.options, f"uploads/{run.content}", f"uploads/{run.style}")
        return forecast["extractor"] if forecast else "compact"

    def _check_room(self, client: str, but: str = "") -> None:
        self.archive.check_room(but)
        self.queue.check_room(client)

    def place(self, run: Run) -> int | None:
        """Where a run stands in the line, those being painted first: 1, 2, ...; None if it rests."""
        position = self.queue.position(run.id)
        painted = sum(each.state is State.RUNNING for each in self.store.active())
        return None if position is None else position + painted if position else 1

    def starts_in(self, run: Run) -> float | None:
        """Seconds until a run that waits is painted, as far as it can be told; 0 of one that is. None if it rests.

        What is painted now takes as long as it says, what waits before this run as long as its forecast.
        """
        if run.state.rests:
            return None
        line = self.queue.waiting()
        ahead = next((n for n, waiting in enumerate(line) if waiting.id == run.id), None)
        if ahead is None:
            return 0.0
        now = [each.seconds_left for each in self.store.active() if each.state is State.RUNNING]
        told = [self._seconds(waiting) for waiting in line[:ahead]]
        if any(seconds is None for seconds in (*now, *told)):
            return None
        return sum(seconds or 0.0 for seconds in (*now, *told)) / max(1, self.queue.ready_count)

    def _seconds(self, run: Run) -> float | None:
        """What a run that waits will take, as a whole; None if it cannot be told. Asked once of each."""
        if run.id not in self._told:
            try:
                forecast = self.forecast(run.options, f"uploads/{run.content}", f"uploads/{run.style}")
            except NstError:
                return 0.0  # it will fail at once
            if forecast is None or forecast["seconds"] is None:
                return None
            if len(self._told) > MOST_TOLD:
                self._told.clear()
            self._told[run.id] = forecast["seconds"]
        return self._told[run.id]

    def describe(self, run: Run) -> dict[str, Any]:
        """A run as `GET /api/v1/runs/{id}` shows it."""
        base = f"/api/v1/runs/{run.id}"
        told = {name: value for name, value in run.to_json().items() if name != "client"}
        return {
            **told,
            "options_now": run.options_now.to_json(),
            "queue_position": self.queue.position(run.id),
            "starts_in": self.starts_in(run),
            "children": self.store.children(run),
            "favourite": self.archive.favourite(run.id),
            "events": f"{base}/events",
            "frames_kept": f"{base}/frames",
            "result": f"{base}/result.png" if run.has_result and run.state.rests else None,
        }


def _sample(name: str) -> Sample:
    """The sample called `name`. Raises NotFound."""
    try:
        return find(name)
    except OptionError as error:
        raise NotFound(str(error)) from error


def _shape(data: bytes, name: str) -> Shape:
    picture = images.read(data, name, 64)
    return picture.height, picture.width
