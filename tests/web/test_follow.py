"""What a page waits for does not hold up the others."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.web import ids
from nst.web.components.run.status import MISSING
from nst.web.factory import create_app
from nst.web.follow import RunUpdate, follow
from nst.web.service.server_states import ServerState
from tests.web.sites import picture, queue_of, served
from tests.web.test_gallery_page import call, finished, queued, service_in, whole_answer


def test_a_poll_that_waits_for_the_queue_leaves_the_event_loop_free(tmp_path: Path) -> None:
    service = service_in(tmp_path)
    held, asked, asked_in_time = threading.Event(), threading.Event(), []

    def hold() -> None:
        """Hold the queue's lock, as while a checkpoint is written, until the event loop goes on beside the poll."""
        with service.queue.pool.workers.lock:
            held.set()
            asked_in_time.append(asked.wait(20))

    async def poll() -> RunUpdate:
        polling = asyncio.create_task(follow(service, "", 0, None))
        await asyncio.sleep(0)  # the poll begins
        asked.set()
        return await polling

    holding = threading.Thread(target=hold)
    holding.start()
    assert held.wait(20)
    update = asyncio.run(poll())
    holding.join()
    assert asked_in_time == [True]
    assert update.server["queue"] == []
    service.store.close()


@contextmanager
def held(lock: Any) -> Iterator[None]:
    """A lock that another thread holds during the block."""
    has_it, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            has_it.set()
            enough.wait(120)

    holding = threading.Thread(target=hold)
    holding.start()
    assert has_it.wait(20)
    try:
        yield
    finally:
        enough.set()
        holding.join()


def test_pages_that_wait_while_the_queue_is_locked_leave_threads_to_others(tmp_path: Path) -> None:
    service = service_in(tmp_path)
    run = queued(service.store)

    async def pages() -> list[RunUpdate]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(4))
        with held(service.queue.pool.workers.lock):
            polls = [asyncio.create_task(follow(service, shown, 0, None)) for shown in ("", run.id) * 20]
            for _ in range(20):  # in each of which the polls get further, if they can
                assert await asyncio.wait_for(asyncio.to_thread(service.store.created_count), 60) == 1
        return await asyncio.gather(*polls)

    updates = asyncio.run(pages())
    assert {update.position for update in updates} == {None, 1}
    assert [update.server["queue"] for update in updates] == [[[run.id, "queued", 1]]] * 40
    service.store.close()


def test_a_state_of_the_server_is_never_older_than_the_request_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = service_in(tmp_path)
    states, began, go_on, read = service.server_states, threading.Event(), threading.Event(), []

    def read_slowly() -> ServerState:
        found = ServerState({"reading": len(read)}, ())
        read.append(found)
        began.set()
        assert go_on.wait(20)
        return found

    monkeypatch.setattr(states, "_read", read_slowly)

    async def ask() -> list[ServerState]:
        first = asyncio.create_task(states.now())
        assert await asyncio.to_thread(began.wait, 20)
        later = [asyncio.create_task(states.now()) for _ in range(5)]
        await asyncio.sleep(0)
        later[0].cancel()  # a page that was closed, and ends no reading of others
        go_on.set()
        return [await first, *await asyncio.gather(*later[1:])]

    assert [state.common["reading"] for state in asyncio.run(ask())] == [0, 1, 1, 1, 1]
    assert len(read) == 2
    service.store.close()


def test_the_server_answers_while_the_database_is_locked(tmp_path: Path) -> None:
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    run = store.create(StyleOptions(), store.put_upload(picture()), store.put_upload(picture(80)))
    paths = ("", "/events", "/events?wait=1", "/stream", "/frames", "/result.png")
    answers: list[int] = []
    with served(create_app(settings, store, queue_of(settings, store))) as address:

        def ask(path: str) -> None:
            with httpx2.stream("GET", f"{address}/api/v1/runs/{run.id}{path}", timeout=120) as answer:
                answers.append(answer.status_code)

        asking = [threading.Thread(target=ask, args=(path,)) for path in paths]
        with held(store.database.lock):
            for thread in asking:
                thread.start()
            for _ in range(5):
                assert httpx2.get(f"{address}/api/v1/options", timeout=60).status_code == 200
            assert answers == []
        for thread in asking:
            thread.join()
    assert sorted(answers) == [200] * 5 + [404]
    store.close()


def test_a_run_that_is_deleted_leaves_the_page_and_comes_back_once_it_is_restored(tmp_path: Path) -> None:
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    client = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost")
    run, cursor = finished(store), {"run": "", "n": 0, "server": None}

    def poll() -> dict[str, Any]:
        values = {ids.POLL_REQUEST: 1, ids.URL: f"?run={run.id}", ids.CURSOR: cursor}
        answer = call(client, {}, f"{ids.POLL_ANSWER}.data", values)
        cursor.update(answer[ids.CURSOR]["data"])
        return {name: value for name, value in answer.items() if name != ids.POLL_ANSWER}

    def act(name: str) -> None:
        """Press a button of the gallery, which has the page poll at once."""
        answer = whole_answer(client, {}, f"{ids.ACTION_RESULT}.data", {ids.ACTION: {"do": name, "run": run.id}})
        assert ids.POLL_WAKE in answer["sideUpdate"]

    shown = poll()
    assert shown[ids.HISTORY]["hidden"] is False
    act("delete")
    emptied = poll()
    assert emptied[ids.STATUS]["children"] == MISSING
    assert emptied[ids.HISTORY]["hidden"] is True
    assert emptied[ids.FRAMES]["data"]["run"] == ""
    assert emptied[ids.SERVER]["data"]["run"] is None
    assert emptied[ids.DIAGNOSIS]["children"] is None
    assert set(poll()) == {ids.STATUS, ids.CURSOR}, "the page is not emptied again"
    act("restore")
    assert {**poll(), ids.RUN_QUEUE: shown[ids.RUN_QUEUE]} == shown
    assert set(poll()) == {ids.STATUS, ids.CURSOR}
    store.close()
