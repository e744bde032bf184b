"""Grids of variations: started, described, cancelled, and painted large."""

import io
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from PIL import Image

from nst.errors import Conflict, NotFound, NstError, OptionError
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.grids import Grid, Grids
from nst.jobs.storage.store import Store
from nst.options.option_field import option_text
from nst.options.picture_roles import STYLE_ROLES, as_fields
from nst.options.variations import Variations
from nst.pictures.contact_sheet import SHEET_QUALITY, grid_sheet
from nst.runs.run import Run
from nst.web.current_client import current_client
from nst.web.service.forecasts import Forecasts
from nst.web.service.permissions import check_owner
from nst.web.service.pictures import Pictures, names_of_files, names_of_uploads
from nst.web.service.runs import Runs


class VariationsService:
    """The grids of a store. The methods read and write the database: call them in a thread."""

    def __init__(
        self, store: Store, queue: Queue, archive: Archive, pictures: Pictures, forecasts: Forecasts, runs: Runs
    ) -> None:
        self._store, self._queue, self._archive = store, queue, archive
        self._pictures, self._forecasts, self._runs = pictures, forecasts, runs
        self._grids = Grids(store)
        self._starting = threading.Lock()  # held from the check of the queue until the runs are in it

    def start(
        self,
        variations: Variations,
        refs: Mapping[str, str],
        *,
        names: Mapping[str, str] | None = None,
        client: str = "",
    ) -> Grid:
        """Queue the quick runs of `variations`, of the pictures that `refs` names by role.

        `names` are those of the pictures' files. Raises NotFound, Busy, TooMany, and OptionError where a quick run
        cannot be painted.
        """
        quick = [variations.quick(changes) for changes in variations.changes()]
        if "init" not in refs and any(options.init == "image" for options in quick):
            raise OptionError("`init` is 'image', but no picture to start from was given", "init")
        uploads = {role: self._pictures.upload_id(ref) for role, ref in refs.items()}
        self.check(variations, refs)
        with self._starting:
            self._archive.check_capacity()
            self._queue.check_capacity(client, len(quick))
            grid = self._grids.create(variations, uploads, names_of_uploads(refs, names), client)
        for run in self.runs(grid):
            self._queue.submit(run)
        return grid

    def check(self, variations: Variations, refs: Mapping[str, str]) -> float | None:
        """Check that the quick runs can be painted; returns the seconds that they take, None if nobody can tell.

        `refs` names the pictures by role. Raises NotFound, InputError, OptionError.
        """
        masked = "mask" in refs
        variations.check_pictures(sum(role in refs for role in STYLE_ROLES), masked)
        self._runs.check_mask(refs.get("mask"), refs["content"])
        forecasts = []
        for changes in variations.changes():
            own = variations.pictures_of(changes, refs)
            paintings = [own[role] for role in STYLE_ROLES if role in own]
            options = variations.quick(changes)
            forecasts.append(self._forecasts.forecast(options, refs["content"], *paintings, masked=masked))
        seconds = [forecast["seconds"] if forecast else None for forecast in forecasts]
        known = [each for each in seconds if each is not None]
        return sum(known) / max(1, self._queue.ready_count) if len(known) == len(seconds) else None

    def get(self, grid_id: str) -> Grid:
        """Return a grid. Raises NotFound."""
        return self._grids.get(grid_id)

    def newest(self, client: str = "") -> list[Grid]:
        """Return the newest grids of a client, newest first."""
        return self._grids.newest(client)

    def owned(self, grid_id: str) -> Grid:
        """Return a grid that the current client may change. Raises NotFound, and Forbidden for another client's."""
        grid = self.get(grid_id)
        check_owner(grid.client, current_client(), "this grid")
        return grid

    def runs(self, grid: Grid) -> list[Run]:
        """Return the quick runs that were not deleted."""
        return [run for run, _ in self._grids.runs(grid) if run]

    def cancel(self, grid: Grid) -> None:
        """Stop the quick runs that wait or are painted; what is painted stays."""
        for run in reversed(self.runs(grid)):  # the last first: none of them is begun meanwhile
            if not run.state.ended:
                with suppress(Conflict, NotFound):  # it has just ended
                    self._queue.stop(run.id)

    def paint(self, grid: Grid, run_id: str, client: str = "") -> Run:
        """Queue the run at full size with the settings of a quick run. Raises NotFound, and as `Runs.start`."""
        if run_id not in grid.runs:
            raise NotFound(f"run {run_id[:80]!r} is not of variations {grid.id}")
        changes = grid.variations.changes()[grid.runs.index(run_id)]
        options = grid.variations.full(changes)
        own, names = (grid.variations.pictures_of(changes, each) for each in (grid.pictures, grid.names))
        refs = as_fields({role: f"uploads/{upload}" for role, upload in own.items()})
        return self._runs.start(options, **refs, names=names_of_files(names), client=client)

    def pictures(self, grid: Grid) -> dict[str, dict[str, str]]:
        """Return {"ref", "title"} of the content and of the paintings of a grid, by role."""
        return self._pictures.choices(grid.pictures, grid.names)

    def describe(self, grid: Grid) -> dict[str, Any]:
        """Describe a grid as `GET /api/v1/variations/{id}` does."""
        address = f"/api/v1/variations/{grid.id}"
        found = self._grids.runs(grid)
        pictures = self.pictures(grid)
        cells = [
            {"changes": _texts(changes), **_cell(run_id, run, liked)}
            for changes, run_id, (run, liked) in zip(grid.variations.changes(), grid.runs, found, strict=False)
        ]
        return {
            "id": grid.id,
            "created": grid.created,
            "options": grid.variations.options.to_json(),
            "size": grid.variations.size,
            "epochs": grid.variations.epochs,
            "axes": [axis.to_json(_titles(pictures)) for axis in grid.variations.axes],
            "rows": grid.variations.rows,
            "columns": grid.variations.columns,
            "pictures": pictures,
            "ended": all(run is None or run.state.rests for run, _ in found),
            "runs": cells,
            "sheet": f"{address}/sheet.jpg",
            "page": f"/vary#{grid.id}",
        }

    def sheet(self, grid: Grid) -> bytes:
        """Return the contact sheet of what is painted so far, with titles: a JPEG file."""
        runs = [run for run, _ in self._grids.runs(grid)]
        found = [self._picture(run) for run in runs]
        rows, columns = grid.variations.titles(_titles(self.pictures(grid)))
        sizes = [picture.size for picture in found if picture] or [(grid.variations.size, grid.variations.size)]
        picture = grid_sheet(found, rows, columns, max(max(size) for size in sizes), sizes[0])
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=SHEET_QUALITY)
        return file.getvalue()

    def _picture(self, run: Run | None) -> Image.Image | None:
        """The result of a run, its newest frame, or None if it has none."""
        if run is None or not run.frames:
            return None
        files = self._store.files
        with suppress(NstError), Image.open(files.result(run.id) if run.has_result else files.partial(run.id)) as found:
            return found.convert("RGB")
        return None


def _titles(pictures: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The titles of pictures by role, of what `Pictures.choices` returns."""
    return {role: picture["title"] for role, picture in pictures.items()}


def _texts(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values of options as flags take them, by name."""
    return {name: option_text(value) for name, value in changes.items()}


def _cell(run_id: str, run: Run | None, liked: bool) -> dict[str, Any]:
    """What a grid shows of one of its runs."""
    if run is None:
        return {"id": run_id, "state": "deleted", "favorite": False}
    return {
        "id": run.id,
        "run": f"/api/v1/runs/{run.id}",
        "state": str(run.state),
        "epoch": run.epoch,
        "epochs": run.epochs,
        "width": run.width,
        "height": run.height,
        "favorite": liked,
        "error": run.error,
        "frame": f"/api/v1/runs/{run.id}/frames/{run.epoch}.jpg" if run.frames else None,
        "result": f"/api/v1/runs/{run.id}/result.png" if run.has_result and run.state.rests else None,
    }
