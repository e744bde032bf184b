"""Actions on a run over REST: pause, steer, continue, branch."""

import hashlib
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.web.test_api import ENDLESS, QUICK, assert_error, body, follow, start

PATH = "/api/v1/runs"
SLOW = ENDLESS | {"steps_per_epoch": 5}


def until(client: TestClient, run_id: str, kind: str) -> dict[str, Any]:
    """The first event of that kind."""
    last = 0
    while True:
        news = client.get(f"{PATH}/{run_id}/events", params={"after": last, "wait": 5}).json()
        last = news["last"]
        for event in news["events"]:
            if event["kind"] == kind:
                return event


def asked(client: TestClient, run_id: str, verb: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{PATH}/{run_id}/{verb}", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def running(client: TestClient) -> str:
    """Start a run and wait until it has frames; returns its id."""
    run_id = start(client, options=SLOW)
    until(client, run_id, "epoch")
    return run_id


def test_a_run_is_paused_resumed_and_stopped(client: TestClient) -> None:
    run_id = running(client)
    assert asked(client, run_id, "pause")["id"] == run_id
    until(client, run_id, "paused")
    paused = client.get(f"{PATH}/{run_id}").json()
    assert (paused["state"], paused["queue_position"], paused["starts_in"]) == ("paused", None, None)
    assert client.get(paused["result"]).status_code == 200
    assert asked(client, run_id, "resume")["state"] in ("queued", "running")
    assert until(client, run_id, "continued")["epochs"] == 1000
    asked(client, run_id, "stop")
    assert follow(client, run_id)[-1]["kind"] == "stopped"
    assert_error(client.post(f"{PATH}/{run_id}/resume"), 409, "conflict", "stopped")
    assert_error(client.post(f"{PATH}/{run_id}/pause"), 409, "conflict", "stopped")


def test_a_queued_run_is_paused_at_once(client: TestClient) -> None:
    first, second = running(client), start(client)
    assert asked(client, second, "pause")["state"] == "paused"
    asked(client, second, "stop")
    asked(client, first, "stop")


def test_a_finished_run_is_continued_for_more_epochs(client: TestClient) -> None:
    run_id = start(client)
    follow(client, run_id)
    etag = client.get(f"{PATH}/{run_id}/result.png").headers["etag"]
    assert_error(client.post(f"{PATH}/{run_id}/continue"), 409, "conflict", "how many more")
    assert asked(client, run_id, "continue", epochs=3)["epochs"] == 5
    while (run := client.get(f"{PATH}/{run_id}").json())["state"] != "finished":
        client.get(f"{PATH}/{run_id}/events", params={"after": run["last"], "wait": 5})
    assert (run["epoch"], run["prolonged"]) == (5, True)
    assert client.get(f"{PATH}/{run_id}/result.png", headers={"If-None-Match": etag}).status_code == 200


def test_a_running_run_cannot_be_continued(client: TestClient) -> None:
    run_id = running(client)
    assert_error(client.post(f"{PATH}/{run_id}/continue", json={"epochs": 3}), 409, "conflict", "running")
    asked(client, run_id, "stop")


def test_weights_change_during_a_run(client: TestClient) -> None:
    run_id = running(client)
    assert client.patch(f"{PATH}/{run_id}/weights", json={"strength": 3}).status_code == 202
    assert until(client, run_id, "steered")["changes"] == {"strength": 3}
    run = client.get(f"{PATH}/{run_id}").json()
    assert (run["options"]["strength"], run["options_now"]["strength"]) == (1.0, 3.0)
    asked(client, run_id, "stop")
    follow(client, run_id)
    assert_error(client.patch(f"{PATH}/{run_id}/weights", json={"strength": 3}), 409, "conflict", "stopped")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, None),
        ({"size": 128}, "size"),
        ({"strength": 0}, "strength"),
        ({"style_layers": {"fire99": 1}}, "style_layers"),
    ],
)
def test_a_change_that_is_not_allowed_is_refused(
    client: TestClient, changes: dict[str, Any], field: str | None
) -> None:
    run_id = start(client)
    follow(client, run_id)
    assert_error(client.patch(f"{PATH}/{run_id}/weights", json=changes), 422, "invalid", field=field)
    if changes:
        for verb, body in (("branch", {"epoch": 0}), ("continue", {"epochs": 1})):
            answer = client.post(f"{PATH}/{run_id}/{verb}", json=body | {"options": changes})
            assert_error(answer, 422, "invalid", field=field)


def test_a_branch_begins_with_a_frame_of_its_parent(client: TestClient) -> None:
    run_id = start(client)
    follow(client, run_id)
    child = asked(client, run_id, "branch", epoch=1, options={"style_weight": 20.0}, epochs=2)
    follow(client, child["id"])
    told_of = client.get(child["run"]).json()
    assert (told_of["parent"], told_of["first"], told_of["epoch"]) == (run_id, 1, 4)
    assert told_of["options"]["style_weight"] == 20.0
    assert client.get(f"{PATH}/{run_id}").json()["children"] == [child["id"]]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 422, "invalid", "epoch"),
        ({"epoch": 99}, 404, "not_found", None),
        ({"epoch": 2}, 409, "conflict", None),
        ({"epoch": 0, "options": [1]}, 422, "invalid", "options"),
        ({"epoch": 0, "option": {}}, 422, "invalid", "option"),
    ],
)
def test_an_invalid_branch_is_refused(
    client: TestClient, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    run_id = start(client)
    follow(client, run_id)
    assert_error(client.post(f"{PATH}/{run_id}/branch", json=body), status, code, field=field)


def test_a_result_is_painted_larger_from_itself(client: TestClient) -> None:
    run_id = start(client, options=QUICK | {"strength": 2.0})
    follow(client, run_id)
    answer = client.post(f"/api/v1/runs/{run_id}/upscale", json={"size": 1024, "epochs": 2})
    assert answer.status_code == 202, answer.text
    child = client.get(answer.json()["run"]).json()
    asked = {"size": 1024, "epochs": 2, "init": "image", "strength": 2.0, "extractor": "compact"}
    assert {name: child["options"][name] for name in asked} == asked
    assert (child["parent"], child["first"]) == (run_id, 0)
    result = client.get(f"/api/v1/runs/{run_id}/result.png").content
    assert child["init"] == hashlib.sha256(result).hexdigest()
    follow(client, child["id"])
    assert client.get(f"/api/v1/runs/{child['id']}").json()["width"] == 1024


def test_an_upscaling_that_makes_no_sense_or_does_not_fit_is_refused_in_one_line(client: TestClient) -> None:
    run_id = start(client)
    follow(client, run_id)
    upscale = f"/api/v1/runs/{run_id}/upscale"
    assert_error(client.post(upscale, json={"size": 64}), 422, "invalid", field="size")
    assert_error(client.post(upscale, json={"size": 9000}), 422, "invalid", field="size")
    waiting = client.post("/api/v1/runs", json=body(gpu=True)).json()["id"]
    assert_error(client.post(f"/api/v1/runs/{waiting}/upscale"), 409, "conflict")
    client.post(f"/api/v1/runs/{waiting}/stop")
