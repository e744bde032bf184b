"""Runs for tests, and waiting for their events."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nst.jobs.storage.store import Store
from nst.options.style_options import StyleOptions
from nst.runs.run import Run

TIMEOUT = 60.0  # seconds until a test gives up waiting


def new_run(store: Store, **options: Any) -> Run:
    return store.create(StyleOptions(**options), store.put_upload(b"a content"), store.put_upload(b"a style"))


def fill_disk(folder: Path) -> None:
    """Write a file that leaves no byte free on the disk of a folder."""
    with suppress(OSError), (folder / "ballast").open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass


def spoil(store: Store, upload: str) -> None:
    """Replace the file of an upload by a folder, which exists and cannot be read."""
    store.upload_path(upload).unlink()
    (store.folder / "uploads" / upload).mkdir()


def follow(
    store: Store, run_id: str, until: Callable[[Run], bool] = lambda run: run.state.ended
) -> list[dict[str, Any]]:
    """The run's events, waited for as a page does, until the run is as wanted."""

    async def read() -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        deadline = time.monotonic() + TIMEOUT
        while True:
            done = until(store.run(run_id))  # before the events are read, so that none is missed
            events += store.events(run_id, len(events))
            if done:
                return events
            assert time.monotonic() < deadline, f"gave up on {store.run(run_id)}"
            await store.wait(run_id, len(events), 1.0)

    return asyncio.run(read())


def wait_until(condition: Callable[[], Any]) -> Any:
    """What `condition` returns as soon as that is true."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := condition()):
        assert time.monotonic() < deadline, "gave up waiting"
        time.sleep(0.01)
    return found
