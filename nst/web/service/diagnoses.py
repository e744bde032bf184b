"""Diagnoses of runs: what the losses of a frame consist of, computed on request and kept in the run's folder."""

import dataclasses
import json
from typing import Any

from nst.atomic_write import atomic_write
from nst.errors import Conflict, NotFound
from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.options.layer_presets import SHIPPED_NETWORK
from nst.options.style_options import StyleOptions
from nst.options.variations import Variations
from nst.runs.job import DiagnosisJob
from nst.runs.run import Run
from nst.web.current_client import current_client


class Diagnoses:
    """The diagnoses of a store's runs. The methods wait for a worker: call them in a thread."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store, self._queue = store, queue

    def of(self, run: Run, epoch: int | None = None) -> dict[str, Any]:
        """Diagnose the frame of an epoch, by default the newest one.

        Returns what `nst.worker.diagnosis_runner.execute` does, and "epoch". Raises NotFound for a frame that is not
        kept, Conflict for a run that has not started, and as `Queue.diagnose`.
        """
        if not run.frames:
            raise Conflict("the run has no frame yet")
        files = self._store.files
        frame = files.partial(run.id) if epoch is None else files.frame(run.id, epoch)
        kept = files.folder(run.id) / "diagnosis" / f"{frame.stem}-on-scale.json"  # early ones had weights of full size
        if not kept.exists() or kept.stat().st_mtime < frame.stat().st_mtime:  # else the frame was painted again
            job = DiagnosisJob(
                picture=frame.read_bytes(),
                content=self._store.upload(run.content),
                styles=tuple(self._store.upload(style) for style in run.styles),
                options=_options_at(run, int(frame.stem)),
                extractor=run.extractor,
                mask=self._store.upload(run.mask) if run.mask else None,
            )
            made = {"epoch": int(frame.stem), **self._queue.diagnose(job, current_client())}
            with self._store.database.plain_errors(), atomic_write(kept) as part:
                part.write_text(json.dumps(made))
        found: dict[str, Any] = json.loads(kept.read_text())
        return found

    def near(self, run: Run, epoch: Any) -> dict[str, Any]:
        """Diagnose the frame of an epoch as `of` does, or the newest one where that is not kept or no number."""
        try:
            return self.of(run, int(float(epoch)))
        except (NotFound, OverflowError, TypeError, ValueError):
            return self.of(run)


def _options_at(run: Run, epoch: int) -> StyleOptions:
    """The options in force when an epoch ended; colors are transferred as at the start."""
    steered = (change["changes"] for change in run.steered if change["epoch"] < epoch)
    return run.with_its_colors(run.options.with_changes(*steered))


def reconstructions(run: Run, role: str) -> Variations:
    """Return quick runs with the content loss, or the style loss, of one layer of a run each, and smoothness.

    They start from a picture of noise: a run from "noise" would add the content's details at each scale.
    """
    options = run.options_now
    content, style = options.layers(run.extractor or SHIPPED_NETWORK)
    layers = dict.fromkeys(layer for layer, _ in ((*content, *style) if role == "content" else style))
    alone = dataclasses.replace(options, init="image", mask_use="protect", neighbor_weight=0.0)
    if role == "content":
        alone = dataclasses.replace(alone, style_weight=0.0)
    else:
        alone = dataclasses.replace(alone, content_weight=0.0)
    return Variations.parse(run.with_its_colors(alone), {f"{role}_layers": [{layer: 1.0} for layer in layers]})
