"""Grids of variations in a store: which quick runs belong together, and what varies in them.

The quick runs are runs like others, with `Run.variations` the id of their grid. The gallery leaves them out, except
favorites, and they go first when disk space is short.
"""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from nst.errors import NotFound
from nst.jobs.storage.run_rows import run_of
from nst.jobs.storage.store import Store
from nst.options.picture_roles import as_fields
from nst.options.variations import Variations
from nst.runs.run import Run


@dataclass(frozen=True)
class Grid:
    """Quick runs of the same pictures, row by row."""

    id: str  # 32 hex digits
    created: float  # seconds since 1970
    variations: Variations
    pictures: Mapping[str, str]  # ids of uploads, by role; "init" is that of the runs that start from a picture
    names: Mapping[str, str]  # of the pictures' files, by role
    runs: tuple[str, ...] = ()  # ids
    client: str = field(default="", repr=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values under the fields' names; `from_json` reads them back."""
        return {**vars(self), "variations": self.variations.to_json()}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """The grid that `to_json` was called on. Raises OptionError for options of another version."""
        variations = Variations.from_json(given["variations"])
        return cls(**{**given, "variations": variations, "runs": tuple(given["runs"])})


class Grids:
    """The grids of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self, variations: Variations, pictures: Mapping[str, str], names: Mapping[str, str], client: str = ""
    ) -> Grid:
        """Create a grid and its queued runs, in their order. Raises NotFound, DiskFull.

        `pictures` are ids of uploads by role, `names` those of their files. If a run cannot be created, the grid has
        those before it.
        """
        grid_id, runs = uuid.uuid4().hex, list[str]()
        names = self._store.names_of(pictures, client) | dict(names)
        try:
            for changes in variations.changes():
                options = variations.quick(changes)
                own, known = (variations.pictures_of(changes, each) for each in (pictures, names))
                more: dict[str, Any] = {"names": known, "client": client, "variations": grid_id}
                runs.append(self._store.create(options, **as_fields(own), **more).id)
        finally:
            grid = Grid(grid_id, time.time(), variations, dict(pictures), dict(names), tuple(runs), client)
            self._insert(grid)
        return grid

    def _insert(self, grid: Grid) -> None:
        with self._store.database.transaction() as connection:
            connection.execute(
                "INSERT INTO variations (id, client, grid) VALUES (?, ?, ?)",
                (grid.id, grid.client, json.dumps(grid.to_json())),
            )

    def get(self, grid_id: str) -> Grid:
        """The grid of that id. Raises NotFound."""
        rows = self._store.database.rows("SELECT grid FROM variations WHERE id = ?", grid_id)
        if not rows:
            raise NotFound(f"there are no variations {grid_id[:80]!r}")
        return Grid.from_json(json.loads(rows[0][0]))

    def newest(self, client: str = "", limit: int = 50) -> list[Grid]:
        """The newest grids, newest first: of a client those of its own, of "" all."""
        query = "SELECT grid FROM variations WHERE ? IN ('', client) ORDER BY number DESC LIMIT ?"
        return [Grid.from_json(json.loads(text)) for (text,) in self._store.database.rows(query, client, limit)]

    def runs(self, grid: Grid) -> list[tuple[Run | None, bool]]:
        """(run, whether it is a favorite) of each cell; None for a run that was deleted."""
        query = "SELECT run, favourite FROM runs WHERE variations = ? AND deleted IS NULL"
        rows = self._store.database.rows(query, grid.id)
        found = {run.id: (run, bool(liked)) for run, liked in ((run_of(text), liked) for text, liked in rows)}
        return [found.get(run_id, (None, False)) for run_id in grid.runs]
