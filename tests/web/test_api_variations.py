"""Grids of variations over REST, with a real queue."""

import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.web.factory import create_app
from nst.web.middleware.clients import HEADER
from tests.jobs.runs import wait_until
from tests.web.sites import queue_of
from tests.web.test_api import assert_error, body, encoded, follow, start

VARY: dict[str, Any] = {"strength": [0.5, 2], "seed": "0,1"}
SAMPLES = {"content": "samples/owl", "style": "samples/night-wind"}


def request(**changes: Any) -> dict[str, Any]:
    return {**SAMPLES, "vary": VARY, "size": 64, "epochs": 2, "options": {"steps_per_epoch": 1, "size": 96}} | changes


def begin(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/variations", json=request(**changes))
    assert answer.status_code == 202, answer.text
    return answer.json()


def ended(client: TestClient, grid: dict[str, Any]) -> dict[str, Any]:
    """The grid once all of its runs have ended."""
    for run in grid["runs"]:
        follow(client, run["id"])
    return client.get(f"/api/v1/variations/{grid['id']}").json()


def test_a_grid_is_painted_run_by_run_and_has_a_sheet(client: TestClient) -> None:
    begun = begin(client)
    assert (begun["rows"], begun["columns"], begun["ended"]) == (2, 2, False)
    assert begun["axes"][0] == {
        "option": "strength", "label": "Strength", "values": [0.5, 2.0], "titles": ["Strength 0.5", "Strength 2"]
    }  # fmt: skip
    assert begun["page"] == f"/vary#{begun['id']}"
    assert begun["pictures"]["content"] == {"ref": "samples/owl", "title": "Owl"}
    grid = ended(client, begun)
    assert grid["ended"]
    assert [run["changes"] for run in grid["runs"]] == [
        {"strength": strength, "seed": seed} for strength in ("0.5", "2") for seed in ("0", "1")
    ]
    for run in grid["runs"]:
        assert (run["state"], run["epoch"], run["height"]) == ("finished", 2, 64)
        assert client.get(run["frame"]).content[:3] == b"\xff\xd8\xff"
        assert client.get(run["result"]).content[:4] == b"\x89PNG"
    sheet = client.get(grid["sheet"])
    assert sheet.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(sheet.content)) as picture:
        assert picture.height > 2 * 64
    assert client.get("/api/v1/variations").json()["variations"][0]["id"] == grid["id"]


def test_paintings_vary_over_rest_and_name_the_columns(client: TestClient) -> None:
    grid = begin(client, style=["samples/night-wind", "samples/lily-pond"], vary={"style": [1, 2]})
    titles = [grid["pictures"][role]["title"] for role in ("style", "style2")]
    assert grid["axes"][0]["titles"] == titles
    assert titles[1].startswith("Lily pond")
    assert len(grid["runs"]) == 2
    painted = client.post(f"/api/v1/variations/{grid['id']}/runs/{grid['runs'][1]['id']}/paint").json()
    large = client.get(painted["run"]).json()
    assert large["style"] != client.get(grid["runs"][0]["run"]).json()["style"]
    assert (large["style"], large["more_styles"]) == (client.get(grid["runs"][1]["run"]).json()["style"], [])
    client.post(f"{painted['run']}/stop")
    ended(client, grid)


def test_quick_runs_are_listed_with_the_others_once_they_are_favorites(client: TestClient) -> None:
    grid = ended(client, begin(client))
    known = {run["id"] for run in client.get("/api/v1/runs?limit=500").json()["runs"]}
    quick = [run["id"] for run in grid["runs"]]
    assert not known & set(quick)
    assert client.patch(f"/api/v1/runs/{quick[3]}", json={"favorite": True}).status_code == 200
    known = {run["id"] for run in client.get("/api/v1/runs?limit=500").json()["runs"]}
    assert known & set(quick) == {quick[3]}
    assert client.get(f"/api/v1/variations/{grid['id']}").json()["runs"][3]["favorite"]


def test_a_quick_run_is_painted_large_with_its_settings(client: TestClient) -> None:
    grid = ended(client, begin(client))
    chosen = grid["runs"][2]["id"]
    answer = client.post(f"/api/v1/variations/{grid['id']}/runs/{chosen}/paint")
    assert answer.status_code == 202, answer.text
    large = client.get(answer.json()["run"]).json()
    options = large["options"]
    assert (options["size"], options["epochs"], options["strength"], options["seed"]) == (96, 40, 2.0, 0)
    assert (large["variations"], options["extractor"]) == ("", "auto")
    client.post(f"{answer.json()['run']}/stop")
    other = start(client)
    assert_error(client.post(f"/api/v1/variations/{grid['id']}/runs/{other}/paint"), 404, "not_found", other)


def test_a_cancelled_grid_keeps_what_was_painted(client: TestClient) -> None:
    slow = {"steps_per_epoch": 100}
    grid = begin(client, vary={"seed": list(range(5))}, epochs=1000, options=slow)
    path = f"/api/v1/variations/{grid['id']}"
    wait_until(lambda: client.get(path).json()["runs"][0].get("frame"))
    assert client.delete(path).status_code == 204
    found = ended(client, grid)
    assert {run["state"] for run in found["runs"]} == {"stopped"}
    assert [bool(run["result"]) for run in found["runs"]] == [True, False, False, False, False]
    assert client.delete(path).status_code == 204  # again


def test_pictures_may_be_given_in_base64(client: TestClient) -> None:
    pictures = {role: body()[role] for role in ("content", "style")}
    grid = ended(client, begin(client, **pictures, vary={"seed": [1, 2]}))
    assert grid["pictures"]["content"]["ref"].startswith("uploads/")


def test_several_paintings_are_mixed_in_every_run_and_the_mix_may_vary(client: TestClient) -> None:
    several = {"style": ["samples/night-wind", "samples/marble"], "vary": {"style_mix": [[1, 3], [3, 1]]}}
    grid = ended(client, begin(client, **several))
    assert [run["changes"]["style_mix"] for run in grid["runs"]] == ["1,3", "3,1"]
    assert set(grid["pictures"]) == {"content", "style", "style2"}
    painted = client.post(f"/api/v1/variations/{grid['id']}/runs/{grid['runs'][1]['id']}/paint").json()
    large = client.get(painted["run"]).json()
    assert (len(large["more_styles"]), large["options"]["style_mix"]) == (1, [3, 1])
    client.post(f"{painted['run']}/stop")


@pytest.mark.parametrize(
    ("changes", "status", "words", "field"),
    [
        ({"vary": {"seed": list(range(26))}}, 422, ["between 2 and 25 runs, got 26"], "vary"),
        ({"vary": {"sead": [1, 2]}}, 422, ["did you mean 'seed'"], "vary"),
        ({"vary": {"seed": [1, -2]}}, 422, ["`seed`", "-2"], "seed"),
        ({"vary": {}}, 422, ["one or two options"], "vary"),
        ({"vary": [1]}, 422, ["`vary` must be an object"], "vary"),
        ({"vary": {"style_mix": ["1,1", "1,2"]}}, 422, ["one number for one painting"], "style_mix"),
        ({"vary": {"init": ["noise", "image"]}}, 422, ["no picture to start from"], "init"),
        ({"vary": {"style": [1, 2]}}, 422, ["`style` must be at most 1", "got 2"], "style"),
        ({"vary": {"style_layers": ["block1_conv1", "block9"]}}, 422, ["has no layer 'block9'"], "style_layers"),
        ({"size": 32}, 422, ["`size`", "32"], "size"),
        ({"options": {"strength": 0}}, 422, ["`strength`"], "strength"),
        ({"content": "samples/nothing"}, 404, ["nothing"], None),
        ({"content": None}, 422, ["`content` is missing"], "content"),
        ({"style": encoded(b"no picture")}, 415, [], "style"),
        ({"colour": 1}, 422, ["there is no field 'colour'"], "colour"),
    ],
)
def test_wrong_requests_are_refused_in_one_line(
    client: TestClient, changes: dict[str, Any], status: int, words: list[str], field: str | None
) -> None:
    codes = {404: "not_found", 415: "not_an_image", 422: "invalid"}
    answer = client.post("/api/v1/variations", json=request(**changes))
    assert_error(answer, status, codes[status], *words, field=field)


@pytest.mark.parametrize("path", ["", "/sheet.jpg"])
def test_unknown_grids_are_not_found(client: TestClient, path: str) -> None:
    assert_error(client.get(f"/api/v1/variations/{'0' * 32}{path}"), 404, "not_found")


def test_the_limits_of_the_queue_hold_for_grids_and_other_clients_only_watch(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, many=True, waiting=6, waiting_each=4)
    store = Store(tmp_path)
    queue = queue_of(settings, store)  # never started: every run waits
    client = TestClient(create_app(settings, store, queue), base_url="http://localhost")
    ann, bob = ({HEADER: letter * 32} for letter in "ab")
    first = client.post("/api/v1/variations", json=request(), headers=ann)
    assert first.status_code == 202
    more = client.post("/api/v1/variations", json=request(vary={"seed": "1,2"}), headers=ann)
    assert_error(more, 429, "too_many", "at most 4 runs of yours may wait, and 4 do, so 2 more are too many")
    full = client.post("/api/v1/variations", json=request(), headers=bob)
    assert_error(full, 503, "busy", "at most 6 runs may wait, and 4 do, so 4 more are too many")
    path = f"/api/v1/variations/{first.json()['id']}"
    assert client.get(path, headers=bob).status_code == 200
    assert client.get("/api/v1/variations", headers=bob).json()["variations"] == []
    assert_error(client.delete(path, headers=bob), 403, "forbidden", "another client's")
    assert client.delete(path, headers=ann).status_code == 204
    assert {run["state"] for run in client.get(path).json()["runs"]} == {"stopped"}
    store.close()
