"""Requests of a page to steer a run: the value that was moved last wins."""

import threading
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
from nst.web.callbacks.run.steering import PageSteering
from nst.web.factory import create_app
from tests.web.sites import picture, queue_of
from tests.web.test_gallery_page import call


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[tuple[TestClient, Store, Run]]:
    """A studio whose queue was never started, its store, and a run that is painted."""
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    run = store.create(StyleOptions(strength=1), store.put_upload(picture()), store.put_upload(picture(80)))
    store.append(run.id, Started(extractor="compact", note="", width=64, height=48, epochs=4, steps=20))
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
    pool, sent = client.app.state.service.queue.pool, []  # type: ignore[attr-defined]
    # Like a worker in the middle of a long step, that reports no change yet.
    monkeypatch.setattr(pool, "request", lambda run_id, method, changes, number: sent.append(changes) is None)
    for number, strength in enumerate(("3", "1", "1", "2"), 1):
        ask(client, run, number, strength=strength)
    assert store.run(run.id).options_now.strength == 1
    assert sent == [{"strength": 3.0}, {"strength": 1.0}, {"strength": 2.0}]


def steered(store: Store, run: Run) -> list[dict[str, Any]]:
    return [event["changes"] for event in store.events(run.id) if event["kind"] == "steered"]


def test_what_is_in_force_is_neither_sent_nor_recorded(studio: tuple[TestClient, Store, Run]) -> None:
    client, store, run = studio
    weights = f"/api/v1/runs/{run.id}/weights"
    content = store.run(run.id).options_now.weights_before_strength["content_weight"]
    layers = dict(store.run(run.id).options_now.layers("compact")[1])
    layer, weight = next(iter(layers.items()))
    assert ask(client, run, 1, strength="1") == ""
    assert ask(client, run, 2, content_weight=str(content)) == ""
    assert ask(client, run, 3, **{f"style_layers.{layer}": str(weight)}) == ""
    for same in ({"strength": 1}, {"content_weight": content}, {"style_layers": layers}, {"style_mix": [1]}):
        assert client.patch(weights, json=same).status_code == 202
    assert steered(store, run) == []
    assert ask(client, run, 4, strength="2", content_weight=str(content)) == ""
    assert client.patch(weights, json={"strength": 2, "tv_weight": 9}).status_code == 202
    assert ask(client, run, 5, **{f"style_layers.{layer}": str(weight + 1)}) == ""
    assert steered(store, run) == [
        {"strength": 2.0},
        {"tv_weight": 9.0},
        {"style_layers": layers | {layer: weight + 1}},
    ]


def test_a_run_that_is_steered_slowly_does_not_hold_up_another(
    studio: tuple[TestClient, Store, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, store, slow = studio
    service = client.app.state.service  # type: ignore[attr-defined]
    quick = store.create(StyleOptions(strength=1), slow.content, slow.style)
    began, go_on, steer = threading.Event(), threading.Event(), service.runs.steer

    def steer_slowly(run_id: str, changes: dict[str, Any]) -> bool:
        if run_id == slow.id:
            began.set()
            assert go_on.wait(30)
        return steer(run_id, changes)

    monkeypatch.setattr(service.runs, "steer", steer_slowly)
    pages = PageSteering(service)
    wish = {"page": 1.5, "number": 1, "values": {"strength": "3"}}
    slowly = threading.Thread(target=pages.steer, args=(slow.id, wish))
    slowly.start()
    assert began.wait(30)
    asked = threading.Thread(target=pages.steer, args=(quick.id, wish))
    asked.start()
    asked.join(30)
    quick_one = store.run(quick.id).options_now.strength
    go_on.set()
    for thread in (slowly, asked):
        thread.join()
    assert quick_one == 3
    assert store.run(slow.id).options_now.strength == 3


def test_requests_that_reach_a_worker_in_another_order_leave_the_newest_values() -> None:
    control = Control()
    control.steer({"strength": 3.0}, 2)
    control.steer({"strength": 2.0, "tv_weight": 5.0}, 1)
    assert control.take_changes() == {"strength": 3.0, "tv_weight": 5.0}
    control.steer({"strength": 2.0}, 1)
    assert control.take_changes() == {}
    control.steer({"strength": 4.0}, 3)
    assert control.take_changes() == {"strength": 4.0}
