"""Runs over REST: started once, waited for, searched, made favorites, deleted, restored."""

import base64
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nst.errors import Busy, TooMany
from nst.jobs.storage.store import Store
from nst.options.option_field import options_of
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.web.factory import create_app
from nst.web.problems import problem_of
from tests.jobs.runs import fill_disk
from tests.web.sites import picture, queue_of
from tests.web.test_api import ENDLESS, QUICK, assert_error, body, follow, start

HOSTILE = ["x" * 5000, "%00", "%F0%9F%8E%A8", "..%2F..%2Fstudio.sqlite", "0" * 32, "A" * 32, "%ED%A0%80"]


def test_the_same_key_is_the_same_run(client: TestClient) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first, again = (client.post("/api/v1/runs", json=body(), headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    assert start(client) != first.json()["id"]


def test_the_same_key_at_the_same_time_is_the_same_run(client: TestClient) -> None:
    key, many = {"Idempotency-Key": uuid.uuid4().hex}, 8
    with ThreadPoolExecutor(many) as pool:
        answers = list(pool.map(lambda _: client.post("/api/v1/runs", json=body(), headers=key), range(many)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_key_with_other_contents_is_refused(client: TestClient) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    run_id = client.post("/api/v1/runs", json=body(), headers=key).json()["id"]
    for other in ({"options": QUICK | {"seed": 5}}, {"style": body()["content"]}, {"gpu": True}):
        answer = client.post("/api/v1/runs", json=body(**other), headers=key)
        assert_error(answer, 409, "conflict", run_id, key["Idempotency-Key"])


@pytest.mark.parametrize("key", ["", "k" * 256, "caf\u00e9"])
def test_a_key_is_printable_ascii(client: TestClient, key: str) -> None:
    answer = client.post("/api/v1/runs", json=body(), headers={"Idempotency-Key": key.encode("latin-1")})
    assert_error(answer, 422, "invalid", field="Idempotency-Key")


def test_a_run_may_ask_for_a_graphics_card_in_json_and_in_a_form(client: TestClient) -> None:
    files = {"content": ("a.png", picture()), "style": ("b.png", picture())}
    for answer in (
        client.post("/api/v1/runs", json=body(gpu=True)),
        client.post("/api/v1/runs", files=files, data=QUICK | {"gpu": "true"}),
    ):
        run = client.get(answer.json()["run"]).json()
        assert (run["gpu"], run["state"]) == (True, "queued")
        client.post(f"{answer.json()['run']}/stop")
    assert_error(client.post("/api/v1/runs", json=body(gpu=1)), 422, "invalid", "`gpu`", field="gpu")


def test_stylize_waits_for_the_result(client: TestClient) -> None:
    answer = client.post("/api/v1/stylize", json=body())
    assert answer.status_code == 200, answer.text
    result = base64.b64decode(answer.json()["image"])
    run = answer.json()["run"]
    assert (run["state"], run["id"]) == ("finished", answer.headers["nst-run"])
    assert client.get(run["result"]).content == result
    as_png = client.post("/api/v1/stylize", json=body(), headers={"Accept": "image/png"})
    assert as_png.headers["content-type"] == "image/png"
    assert as_png.content[:4] == b"\x89PNG"


def test_stylize_stops_a_run_that_is_not_finished_in_time(client: TestClient) -> None:
    answer = client.post("/api/v1/stylize?timeout=1", json=body(options=ENDLESS))
    assert_error(answer, 504, "gateway_timeout", "within 1 s")
    run_id = answer.json()["error"]["message"].split()[1]
    assert follow(client, run_id)[-1]["kind"] == "stopped"


def test_stylize_answers_why_a_run_failed(client: TestClient) -> None:
    answer = client.post("/api/v1/stylize", json=body(options=QUICK | {"epochs": 5, "seed": 13}))
    assert_error(answer, 500, "internal", "failed", "learning rate")


@pytest.mark.parametrize("timeout", ["0", "3601", "nan", "1e999", "soon"])
def test_the_timeout_is_between_a_second_and_an_hour(client: TestClient, timeout: str) -> None:
    assert_error(client.post(f"/api/v1/stylize?timeout={timeout}", json=body()), 422, "invalid", field="timeout")


def test_runs_are_found_by_words_state_age_and_id(client: TestClient) -> None:
    files = {"content": ("lighthouse.png", picture(70, 50)), "style": ("b.png", picture())}
    old = client.post("/api/v1/runs", files=files, data=QUICK | {"seed": 424_242}).json()["id"]
    new = client.post("/api/v1/runs", files=files, data=QUICK | {"seed": 424_242}).json()["id"]
    for run_id in (old, new):
        follow(client, run_id)

    def found(**asked: Any) -> list[str]:
        answer = client.get("/api/v1/runs", params={"words": "424242 lighthouse", **asked})
        assert answer.status_code == 200, answer.text
        return [run["id"] for run in answer.json()["runs"]]

    assert found() == [new, old]
    assert found(state="finished", limit=1) == [new]
    assert found(before=new) == [old]
    assert found(state="failed") == []
    assert found(words="424242 windmill") == []
    assert found(words="", run=[old, "nowhere"]) == [old]
    assert found(words="", run=[old, new]) == [new, old]
    assert found(words="", run=["nowhere"]) == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "state=lost", "favorite=often", f"words={'w' * 201}", "run=x&" * 1001]
)
def test_a_bad_filter_is_refused(client: TestClient, query: str) -> None:
    assert_error(client.get(f"/api/v1/runs?{query}"), 422, "invalid", field=query.partition("=")[0])


def test_a_favorite_is_remembered(client: TestClient) -> None:
    run_id = start(client)
    assert client.get(f"/api/v1/runs/{run_id}").json()["favorite"] is False
    assert client.patch(f"/api/v1/runs/{run_id}", json={"favorite": True}).json()["favorite"] is True
    assert run_id in [run["id"] for run in client.get("/api/v1/runs?favorite=true").json()["runs"]]
    client.patch(f"/api/v1/runs/{run_id}", json={"favorite": False})
    assert run_id not in [run["id"] for run in client.get("/api/v1/runs?favorite=true").json()["runs"]]


def test_a_favorite_may_be_spelled_as_before(client: TestClient) -> None:
    run_id, other = start(client), start(client)
    assert client.patch(f"/api/v1/runs/{run_id}", json={"favourite": True}).json()["favorite"] is True
    found = [run["id"] for run in client.get("/api/v1/runs?favourite=true").json()["runs"]]
    assert run_id in found
    assert other not in found
    assert_error(client.patch(f"/api/v1/runs/{run_id}", json={"favourite": 1}), 422, "invalid", field="favorite")
    names = [each["name"] for each in client.get("/openapi.json").json()["paths"]["/api/v1/runs"]["get"]["parameters"]]
    assert "favorite" in names
    assert "favourite" not in names


def test_a_run_has_a_name_and_notes_by_which_it_is_found(client: TestClient) -> None:
    run_id = start(client)
    asked = {"name": " A quay, bolder ", "notes": "for the hall"}  # not the words of the documentation's example
    answer = client.patch(f"/api/v1/runs/{run_id}", json=asked).json()
    assert (answer["name"], answer["notes"], answer["favorite"]) == ("A quay, bolder", "for the hall", False)
    client.patch(f"/api/v1/runs/{run_id}", json={"favorite": True})
    assert client.get(f"/api/v1/runs/{run_id}").json()["name"] == "A quay, bolder"
    found = client.get("/api/v1/runs", params={"words": "BOLDER quay hall"}).json()["runs"]
    assert [run["id"] for run in found] == [run_id]
    for name, value in (("name", "n" * 81), ("name", 7), ("notes", "n" * 4001)):
        assert_error(client.patch(f"/api/v1/runs/{run_id}", json={name: value}), 422, "invalid", field=name)


@pytest.mark.parametrize(
    ("content", "status", "field"),
    [(b"{", 400, None), (b"[]", 400, None), (b"{}", 422, "favorite"), (b'{"favorite": 1}', 422, "favorite"),
     (b'{"favourit": true}', 422, "favourit"), (b'{"favorite": null}', 422, "favorite")],
)  # fmt: skip
def test_an_invalid_small_body_is_refused_in_one_line(
    client: TestClient, content: bytes, status: int, field: str | None
) -> None:
    answer = client.patch(f"/api/v1/runs/{start(client)}", content=content)
    assert_error(answer, status, {400: "malformed", 422: "invalid"}[status], field=field)


def test_a_deleted_run_is_not_found_until_it_is_restored(client: TestClient) -> None:
    run_id = start(client)
    follow(client, run_id)
    assert client.delete(f"/api/v1/runs/{run_id}").status_code == 204
    for path in ("", "/events", "/result.png", "/partial.jpg", "/frames", "/frames/0.jpg", "/stream", "/timelapse"):
        assert_error(client.get(f"/api/v1/runs/{run_id}{path}"), 404, "not_found", run_id)
    assert_error(client.delete(f"/api/v1/runs/{run_id}"), 404, "not_found")
    for _ in range(2):
        assert client.post(f"/api/v1/runs/{run_id}/restore").json()["id"] == run_id
    assert client.get(f"/api/v1/runs/{run_id}/result.png").status_code == 200


def test_an_active_run_cannot_be_deleted(client: TestClient) -> None:
    run_id = start(client, options=ENDLESS)
    assert_error(client.delete(f"/api/v1/runs/{run_id}"), 409, "conflict", "stop it first")
    client.post(f"/api/v1/runs/{run_id}/stop")


@pytest.mark.parametrize("run_id", HOSTILE)
def test_an_invalid_id_is_not_found(client: TestClient, run_id: str) -> None:
    paths = ("", "/events", "/stream", "/frames", "/frames/0.jpg", "/partial.jpg", "/result.png", "/timelapse.gif")
    for path in paths:
        assert_error(client.get(f"/api/v1/runs/{run_id}{path}"), 404, "not_found")
    for path in ("stop", "pause", "resume", "continue", "branch", "restore", "timelapse"):
        assert_error(client.post(f"/api/v1/runs/{run_id}/{path}"), 404, "not_found")
    assert_error(client.patch(f"/api/v1/runs/{run_id}/weights"), 404, "not_found")
    assert_error(client.delete(f"/api/v1/runs/{run_id}"), 404, "not_found")
    assert_error(client.put(f"/api/v1/runs/{run_id}/frames/0/mark"), 404, "not_found")
    assert_error(client.get("/api/v1/runs", params={"before": run_id[:60]}), 404, "not_found")


NUMBERS = ["1" + 400 * "0", "1" + 5000 * "0", "1e999", "-1e999", "NaN", "Infinity", "true", '"7"', "null", "[7]", "{}"]


@pytest.mark.parametrize("number", NUMBERS)
def test_no_number_causes_a_server_error(client: TestClient, number: str) -> None:
    run_id = start(client)
    names = [name for name, option in options_by_name().items() if option.type in (int, float)]
    requests: list[tuple[str, str, str]] = [
        ("POST", "estimate", f'{{"height": {number}, "width": 64}}'),
        ("POST", f"runs/{run_id}/branch", f'{{"epoch": {number}}}'),
        ("POST", f"runs/{run_id}/continue", f'{{"epochs": {number}}}'),
        ("POST", f"runs/{run_id}/timelapse", f'{{"seconds": {number}}}'),
        ("POST", f"runs/{run_id}/timelapse", f'{{"size": {number}}}'),
        ("PATCH", f"runs/{run_id}", f'{{"favorite": {number if number != "true" else 1}}}'),
        ("PATCH", f"runs/{run_id}/weights", f'{{"strength": {number}}}'),
        ("PATCH", f"runs/{run_id}/weights", f'{{"style_layers": {{"block1_conv1": {number}}}}}'),
        *(("POST", "estimate", f'{{"height": 64, "width": 64, "options": {{"{name}": {number}}}}}') for name in names),
    ]
    for method, path, content in requests:
        answer = client.request(method, f"/api/v1/{path}", content=content)
        assert answer.status_code < 500, (path, content[:80], answer.text)
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error"}
        elif "layers" not in path + content:
            assert number in ("null", '"7"'), (path, content)


def options_by_name() -> dict[str, Any]:
    return {option.name: option for option in options_of(StyleOptions)}


@pytest.mark.parametrize(("error", "status", "code"), [(TooMany("wait"), 429, "too_many"), (Busy("wait"), 503, "busy")])
def test_errors_of_load_contain_a_retry_time(error: Exception, status: int, code: str) -> None:
    answer = problem_of(error)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert f'"{code}"'.encode() in bytes(answer.body)
    assert int(answer.headers["retry-after"]) > 0


def test_a_run_that_the_disk_cannot_take_is_refused_as_such(small_disk: Path) -> None:
    settings = Settings(data=small_disk)
    store = Store(small_disk)
    client = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost")
    fill_disk(small_disk)
    assert_error(client.post("/api/v1/runs", json=body()), 507, "insufficient_storage", "the disk is full")
    store.close()
