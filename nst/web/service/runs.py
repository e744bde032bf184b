"""Runs: started, branched, steered, continued and described."""

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from nst.errors import Conflict, NotFound, OptionError
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.layer_presets import SHIPPED_NETWORK
from nst.options.option_field import options_of
from nst.options.picture_roles import as_fields, by_role
from nst.options.style_options import StyleOptions
from nst.pictures.masks import check_mask_shape
from nst.runs.run import Run
from nst.web.current_client import current_client
from nst.web.service.forecasts import Forecasts
from nst.web.service.permissions import check_owner
from nst.web.service.pictures import Pictures, names_of_files, names_of_uploads, without_suffix

UPSCALED_SIDE, UPSCALING_EPOCHS = 2048, 6  # long side, px, and epochs of a run that paints a result larger
MOST_NAMED_RUNS = 1000  # that a request may name, or an answer list, and so that a page may start together
LONGEST = {"name": 80, "notes": 4000}  # characters of what a client may add to a run


class Runs:
    """The runs of a store. The methods read and write the database: call them in a thread."""

    def __init__(self, store: Store, queue: Queue, archive: Archive, pictures: Pictures, forecasts: Forecasts) -> None:
        self._store, self._queue, self._archive = store, queue, archive
        self._pictures, self._forecasts = pictures, forecasts
        self._starting = threading.Lock()  # held from the look for an idempotency key until the run has it

    def start(
        self,
        options: StyleOptions,
        content: str,
        style: str,
        init: str | None = None,
        *,
        more_styles: Sequence[str] = (),
        mask: str | None = None,
        names: Mapping[str, str] | None = None,
        client: str = "",
        gpu: bool = False,
        key: str = "",
        parent: str = "",
    ) -> Run:
        """Queue a run of the pictures that references name; `more_styles` are further paintings.

        `parent` is the run whose result `init` is, if it is one.

        `names` are those of the uploads' files, by role, as `client` knows them; the store knows the last ones given.
        `key` is an idempotency key: a request of `client` with the same key and the same arguments returns the first
        run. Raises NotFound, OptionError, Busy, TooMany, and Conflict where the arguments differ.
        """
        refs = by_role(content, (style, *more_styles), init, mask)
        # Uploads first: that renews their dates, before a copy of a sample may replace unused ones.
        ordered = sorted(refs, key=lambda role: not refs[role].startswith("uploads/"))
        uploads = {role: self._pictures.upload_id(refs[role]) for role in ordered}
        names = names_of_uploads(refs, names)
        with self._starting:
            before = self._store.keyed(client, key) if key else None
            if before:
                if (before.options, before.uploads, before.gpu) != (options, uploads, gpu):
                    raise Conflict(f"the key {key!r} was given for another painting before: run {before.id}")
                return before
            if (options.init == "image") != (init is not None):
                missing = "no picture to start from was given" if init is None else "a picture to start from was given"
                raise OptionError(f"`init` is {options.init!r}, but {missing}", "init")
            options.check_pictures(1 + len(more_styles), masked=mask is not None)
            self.check_mask(mask, content)
            # raises where the run cannot be done
            self._forecasts.forecast(options, content, style, *more_styles, masked=mask is not None)
            self._check_capacity(client)
            more: dict[str, Any] = {"names": names, "client": client, "gpu": gpu, "parent": parent}
            run = self._store.create(options, **as_fields(uploads), **more)
            if key:
                self._store.set_key(run, key)
        self._queue.submit(run)
        return run

    def branch(
        self, run_id: str, epoch: int, changes: Mapping[str, Any] | None = None, more: int = 0, client: str = ""
    ) -> Run:
        """Queue a new run that begins with the frame of `epoch` of another, with `changes` of live options.

        It has the same last epoch as the other, and `more` epochs. Raises as `start`.
        """
        parent = self._studio_run(run_id)
        self._store.files.frame(run_id, epoch)
        epochs = parent.epochs + more
        if epoch >= epochs:
            raise Conflict(f"epoch {epoch} is the last one of {self.title(run_id)!r}: say how many more to paint")
        options = parent.with_its_colors(_steered(parent, changes or {}, parent.extractor))
        self._check_capacity(client, run_id)
        prolonged = parent.prolonged or more > 0
        run = self._store.branch(
            parent, epoch, options, epochs=epochs, prolonged=prolonged, client=client, gpu=parent.gpu
        )
        self._queue.submit(run)
        return run

    def upscale(self, run_id: str, size: int, epochs: int = UPSCALING_EPOCHS, client: str = "") -> Run:
        """Queue a new run that paints the result of another larger, `size` px at its long side, beginning with it.

        It has the options that were in force at the end, and the network that painted. Raises as `start`, also where
        the run would not fit into memory, and Conflict where there is no result.
        """
        parent, options = self._upscaling(run_id, size, epochs)
        uploads = {role: f"uploads/{upload}" for role, upload in parent.uploads.items()}
        refs = {**as_fields(uploads), "init": self.result(parent)}
        return self.start(
            options, **refs, names=names_of_files(parent.names), client=client, gpu=parent.gpu, parent=run_id
        )

    def forecast_upscaling(self, run_id: str, size: int) -> dict[str, Any] | None:
        """Forecast the run that `upscale` starts, as `Forecasts.forecast` does. Raises as `upscale`."""
        parent, options = self._upscaling(run_id, size)
        return self._forecasts.of_run(dataclasses.replace(parent, options=options))

    def _upscaling(self, run_id: str, size: int, epochs: int = UPSCALING_EPOCHS) -> tuple[Run, StyleOptions]:
        """Return a run, and the options of the one that paints its result larger. Raises Conflict, OptionError."""
        parent = self._studio_run(run_id)
        if not (parent.has_result and parent.state.rests):
            raise Conflict(f"{self.title(run_id)!r} has no result to upscale: it is {parent.state}")
        if size <= (side := max(parent.width, parent.height)):
            raise OptionError(f"`size` must be more than the {side} px of the result, got {size}", "size")
        changes = {"size": size, "epochs": epochs, "init": "image", "extractor": parent.extractor}
        return parent, parent.with_its_colors(parent.options_now).with_changes(changes)

    def result(self, run: Run) -> str:
        """Store the result of a run as an upload, to be used in another; returns its reference. Raises NotFound."""
        return self._pictures.keep(self._store.files.result(run.id).read_bytes(), f"{self.title(run.id)}.png")

    def owned(self, run_id: str) -> Run:
        """Return a run that the current client may change. Raises NotFound, and Forbidden if it is another client's."""
        run = self._store.run(run_id)
        check_owner(run.client, current_client(), "this run")
        return run

    def steer(self, run_id: str, changes: Mapping[str, Any]) -> bool:
        """Change live options of a run from its next step on; False if they have these values already.

        Raises NotFound, OptionError, Conflict.
        """
        run = self._studio_run(run_id)
        if not changes:
            raise OptionError("name at least one option to change")
        extractor = run.extractor or self._expected_network(run)
        options = _steered(run, changes, extractor)
        return self._queue.steer(run_id, options.values_of(changes), _in_force(run, options, extractor))

    def resume(self, run_id: str, more: int = 0, changes: Mapping[str, Any] | None = None) -> None:
        """Queue a paused or ended run again, for `more` epochs than planned. Raises NotFound, OptionError, Conflict."""
        run = self._studio_run(run_id)
        options = _steered(run, changes, run.extractor) if changes else None
        self._check_capacity(run.client, run_id)
        self._queue.resume(run_id, more)
        if changes and options:
            self._queue.steer(run_id, options.values_of(changes), _in_force(run, options, run.extractor))

    def queue_of(self, client: str) -> list[Run]:
        """Return the runs of a client that are painted, then those that wait, the next one first; "" for all."""
        painted, waiting = self._painted_and_waiting()
        return [run for run in (*painted, *waiting) if client in ("", run.client)]

    def queue_positions(self) -> dict[str, int]:
        """Return the position in the queue of each run that waits or is painted, the painted ones first: 1, 2, ..."""
        painted, waiting = self._painted_and_waiting()
        return {run.id: n for n, run in enumerate((*painted, *waiting), 1)}

    def to_the_front(self, runs: Sequence[Run]) -> None:
        """Move runs before all others of their client that wait; those that are painted already stay."""
        for run in reversed(runs):
            with suppress(Conflict):  # it does not wait any more
                self._queue.move(run.id, -len(self._queue.waiting()))

    def _painted_and_waiting(self) -> tuple[list[Run], list[Run]]:
        waiting = self._queue.waiting()
        ids = {run.id for run in waiting}
        return [run for run in self._store.active() if run.id not in ids], waiting

    def describe(self, run: Run) -> dict[str, Any]:
        """Describe a run as `GET /api/v1/runs/{id}` does."""
        base = f"/api/v1/runs/{run.id}"
        fields = {name: value for name, value in run.to_json().items() if name != "client"}
        return {
            **fields,
            "options_now": run.options_now.to_json(),
            "queue_position": self._queue.position(run.id),
            "starts_in": self._forecasts.starts_in(run),
            "children": self._store.children(run),
            **dataclasses.asdict(self._archive.annotations(run.id)),
            "events": f"{base}/events",
            "frames_kept": f"{base}/frames",
            "result": f"{base}/result.png" if run.has_result and run.state.rests else None,
        }

    def check_mask(self, mask: str | None, content: str) -> None:
        """Raise InputError unless the picture `mask`, if any, has the shape of the picture `content`."""
        if mask is not None:
            check_mask_shape(self._pictures.shape(mask), self._pictures.shape(content))

    def pictures(self, run: Run) -> dict[str, dict[str, str]]:
        """Return {"ref", "title"} of the content and of the paintings of a run, by role."""
        return self._pictures.choices(run.uploads, run.names)

    def further_pictures(self, run: Run) -> dict[str, dict[str, str]]:
        """Return {"ref", "title"} of the picture that a run starts from and of its mask, by role, if it has them."""
        return self._pictures.choices(run.uploads, run.names, ("init", "mask"))

    def title(self, run_id: str) -> str:
        """Return the name of a run; of one without, its pictures, as titles of paintings name what they imitate."""
        try:
            run = self._store.run(run_id)
            return self._archive.annotations(run_id).name or title_of(self.pictures(run))
        except NotFound:
            return "a deleted run"

    def _expected_network(self, run: Run) -> str:
        """Return the network that a run which has not started will use."""
        forecast = self._forecasts.of_run(run)
        return forecast["extractor"] if forecast else SHIPPED_NETWORK

    def _studio_run(self, run_id: str) -> Run:
        """Return a run of the studio. Raises NotFound, and Conflict for a picture that was painted in one pass."""
        run = self._store.run(run_id)
        if run.fast:
            raise Conflict(f"{self.title(run_id)!r} is a picture in one pass: there is nothing to continue")
        return run

    def _check_capacity(self, client: str, run_to_keep: str = "") -> None:
        """Check that the disk and the queue take another run; the disk may be freed, but of `run_to_keep`."""
        self._archive.check_capacity(run_to_keep)
        self._queue.check_capacity(client)


def _steered(run: Run, changes: Mapping[str, Any], extractor: str) -> StyleOptions:
    """The options of a run with `changes`, for `extractor`. Raises OptionError."""
    options = run.options_now.steered(changes, extractor)
    options.style_shares(len(run.styles))  # raises where their number is wrong
    return options


def _in_force(run: Run, options: StyleOptions, extractor: str) -> set[str]:
    """The names of the live options that `options` leave as they are in a run with `extractor`."""
    now, new = (_live_values(each, len(run.styles), extractor) for each in (run.options_now, options))
    return {name for name, value in new.items() if value == now[name]}


def _live_values(options: StyleOptions, paintings: int, extractor: str) -> dict[str, Any]:
    """The values of the live options by name, and those that automatic ones stand for."""
    values = {option.name: getattr(options, option.name) for option in options_of(StyleOptions) if option.live}
    layers = dict(zip(("content_layers", "style_layers"), options.layers(extractor), strict=True))
    mix = options.style_mix or (1.0,) * paintings
    return {**values, **options.weights_before_strength, **layers, "style_mix": mix}


def title_of(pictures: Mapping[str, Mapping[str, str]]) -> str:
    """Return "<content> after <style> and <style>", without the suffixes of file names."""
    content, *styles = (without_suffix(picture["title"]) for picture in pictures.values())
    return f"{content} after {' and '.join(styles)}"
