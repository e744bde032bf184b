"""What a page waits for does not hold up the others."""

import asyncio
import threading
from pathlib import Path

from nst.web.follow import RunUpdate, follow
from tests.web.test_gallery_page import service_in


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
