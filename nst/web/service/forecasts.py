"""What runs will take: time, memory, and the network that "auto" stands for."""

import time
from dataclasses import replace
from typing import Any

from nst.errors import NstError, OptionError, OutOfMemory
from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.lru_cache import LruCache
from nst.options.layer_presets import SHIPPED_NETWORK
from nst.options.style_options import StyleOptions
from nst.runs.estimates import Calibration, PlannedRun, auto_network, calibration_for
from nst.runs.run import Run, State
from nst.web.service.pictures import Pictures, Shape

PACE_RUNS = 3  # finished runs that the pace is measured on
PACE_CANDIDATES = 30  # newest runs among which those are looked for
MAX_CACHED_FORECASTS = 10_000  # of queued runs


class Forecasts:
    """Forecasts of the runs of a store on the workers of a queue. The methods read the database: use a thread."""

    def __init__(self, store: Store, queue: Queue, pictures: Pictures) -> None:
        self._store, self._queue, self._pictures = store, queue, pictures
        self._seconds = LruCache[str, float](MAX_CACHED_FORECASTS)  # that queued runs will take, by id
        self._opened = time.time()  # seconds since 1970

    def forecast(
        self, options: StyleOptions, content: str | Shape, *styles: str | Shape, masked: bool = False
    ) -> dict[str, Any] | None:
        """Forecast a run of `options`.

        `content` and `styles` are references of pictures or their (height, width) in px, and `masked` is whether it has
        a mask. Returns `Estimate.to_json` with "seconds" multiplied by the current pace, "extractor",
        "precision" and "why": a sentence on why "auto" stands for that extractor, "" where the extractor was chosen.
        Returns None until a worker has reported its hardware. Raises NotFound, and OptionError where the network has no
        such layer, its weights are missing or the run does not fit into the worker's memory.
        """
        options.check_layers()
        health, chosen = self._queue.health(), self._queue.extractors().get(options.extractor)
        if chosen and not chosen["installed"]:
            raise OptionError(f"`extractor` cannot be {options.extractor!r}: {chosen['how']}", "extractor")
        precision = health.get("precision") if options.precision == "auto" else options.precision
        if "auto" not in health or precision is None or "memory" not in health:
            return None
        calibrations = [Calibration.from_json(each) for each in health.get("calibrations", ())]
        shape, *shapes = (self._pictures.shape(each) if isinstance(each, str) else each for each in (content, *styles))
        auto, why = options.extractor == "auto", ""
        planned = PlannedRun(*shape, options, "vgg19" if auto else options.extractor, precision, shapes, masked)
        if auto:
            network, why = SHIPPED_NETWORK, "VGG19's weights are not here."
            if self._queue.extractors().get("vgg19", {}).get("installed"):
                network, why = auto_network(planned, calibrations, health["memory"])
            planned = replace(planned, network=network)
        speed = calibration_for(planned.network, precision, calibrations)
        try:
            found = planned.estimate(speed, health["memory"])
        except OutOfMemory as error:
            raise OptionError(str(error), "size") from error
        seconds = found.seconds * self._pace(speed) if found.seconds and speed else None
        return {**found.to_json(), "seconds": seconds, "extractor": planned.network, "precision": precision, "why": why}

    def of_run(self, run: Run) -> dict[str, Any] | None:
        """Forecast a run that has not started. Returns and raises as `forecast`."""
        shapes = [self._pictures.shape_in_run(upload_id) for upload_id in (run.content, *run.styles)]
        return self.forecast(run.options, *shapes, masked=bool(run.mask))

    def starts_in(self, run: Run) -> float | None:
        """Return the seconds until a worker starts a run; 0 if it has started, None if it has ended or nobody can tell.

        The runs being worked on take as long as they report, those queued before this run as long as their forecasts.
        """
        if run.state.rests:
            return None
        queued = self._queue.waiting()
        ahead = next((n for n, each in enumerate(queued) if each.id == run.id), None)
        if ahead is None:
            return 0.0
        running = [each.seconds_left for each in self._store.active() if each.state is State.RUNNING]
        waits = [*running, *(self._seconds_of(each) for each in queued[:ahead])]
        if any(seconds is None for seconds in waits):
            return None
        return sum(seconds or 0.0 for seconds in waits) / max(1, self._queue.ready_count)

    def _seconds_of(self, run: Run) -> float | None:
        """Return what a queued run will take in all, None if that is not known. Each run is forecast once."""
        seconds = self._seconds.get(run.id)
        if seconds is None:
            try:
                forecast = self.of_run(run)
            except NstError:
                return 0.0  # it will fail as soon as it starts
            if forecast and (seconds := forecast["seconds"]) is not None:
                self._seconds.put(run.id, seconds)
        return seconds

    def _pace(self, speed: Calibration) -> float:
        """Return the time that the last whole runs on that network took since the server started, over their estimates.

        The machine may have been busy when it was calibrated, or may be busy now. Long runs count for more.
        """
        runs = [
            run
            for run in self._store.runs(PACE_CANDIDATES)
            if run.state is State.FINISHED
            and (run.extractor, run.precision) == (speed.network, speed.precision)
            and not (run.tiled or run.options.epochs == "auto" or run.converged or run.prolonged or run.parent)
            and len(run.styles) == 1  # the shapes of others, which count, are not known here
            and run.created > self._opened
        ][:PACE_RUNS]
        planned = [PlannedRun(run.height, run.width, run.options, run.extractor, run.precision) for run in runs]
        return sum(run.seconds for run in runs) / sum(each.seconds(speed, None) for each in planned) if runs else 1.0
