"""Requests of a page to steer a run: the value that was moved last wins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.runs.control import Control
from nst.runs.events import Started
from nst.runs.run import Run
from nst.web import ids
from nst.web.factory import create_app
from tests.web.sites import picture, queue_of
from tests.web.test_gallery_page import call


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[tuple[TestClient, Store, Run]]:
    """A studio whose queue was never started, its store, and a run that is painted."""
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    run = store.create(StyleOptions(strength=1), store.put_upload(picture()), store.put_upload(picture(80)))
    store.append(run.id, Started("compact", "", 64, 48, 4, 20))
    yield TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost"), store, run
    store.close()


def ask(client: TestClient, run: Run, number: int, page: float = 1.5, **values: Any) -> str:
    """Send a request of a page; returns the error messages."""
    wish = {"page": page, "number": number, "values": values}
    answer = call(client, {}, "steer-answer.data", {ids.STEER_CHANGES: wish, ids.URL: f"?run={run.id}"})
    assert answer[ids.STEER_ANSWER]["data"] == number
    return answer[ids.STEER_ERROR]["children"]


def test_a_request_that_was_overtaken_by_a_newer_one_of_its_page_has_no_effect(
    studio: tuple[TestClient, Store, Run],
) -> None:
    client, store, run = studio
    assert ask(client, run, 2, strength="3") == ""
    assert ask(client, run, 1, strength="2", tv_weight="-4") == ""
    assert store.run(run.id).options_now.strength == 3
    assert ask(client, run, 1, page=2.5, strength="4") == ""  # another page counts its own
    assert store.run(run.id).options_now.strength == 4
    assert "Smoothness weight" in ask(client, run, 3, strength="5", tv_weight="-4")
    assert store.run(run.id).options_now.strength == 5


def test_a_slider_that_is_moved_back_before_its_first_move_is_in_force_is_heard(
    studio: tuple[TestClient, Store, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, store, run = studio
    queue, sent = client.app.state.service.queue, []  # type: ignore[attr-defined]
    # Like a worker in the middle of a long step, that reports no change yet.
    monkeypatch.setattr(queue, "steer", lambda run_id, changes: sent.append(changes))
    for number, strength in enumerate(("3", "1"), 1):
        ask(client, run, number, strength=strength)
    assert store.run(run.id).options_now.strength == 1
    assert sent == [{"strength": 3.0}, {"strength": 1.0}]


def test_requests_that_reach_a_worker_in_another_order_leave_the_newest_values() -> None:
    control = Control()
    control.steer({"strength": 3.0}, 2)
    control.steer({"strength": 2.0, "tv_weight": 5.0}, 1)
    assert control.take_changes() == {"strength": 3.0, "tv_weight": 5.0}
    control.steer({"strength": 2.0}, 1)
    assert control.take_changes() == {}
    control.steer({"strength": 4.0}, 3)
    assert control.take_changes() == {"strength": 4.0}
