import base64
import json
import re
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.pictures.images import read, read_file
from nst.pictures.samples import find
from nst.web.middleware.body_limit import BodyLimit
from tests.web.sites import picture

QUICK = {"epochs": 2, "size": 64, "steps_per_epoch": 1}
ENDLESS = {"epochs": 1000, "size": 64, "steps_per_epoch": 100}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def body(**changes: Any) -> dict[str, Any]:
    return {"content": encoded(picture()), "style": encoded(picture(40, 40, "red")), "options": QUICK} | changes


def start(client: TestClient, **changes: Any) -> str:
    answer = client.post("/api/v1/runs", json=body(**changes))
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def follow(client: TestClient, run_id: str) -> list[dict[str, Any]]:
    """All events of a run, to its end."""
    events: list[dict[str, Any]] = []
    last = 0
    while not events or events[-1]["kind"] not in ("finished", "stopped", "failed", "interrupted"):
        news = client.get(f"/api/v1/runs/{run_id}/events", params={"after": last, "wait": 5}).json()
        events, last = events + news["events"], news["last"]
    return events


def assert_error(answer: Response, status: int, code: str, *words: str, field: str | None = None) -> None:
    """Assert that an answer is an error of that status, code and field whose message contains `words`."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) <= {"code", "message", "field"}
    assert error["code"] == code
    assert error.get("field") == field
    assert "\n" not in error["message"]
    for word in words:
        assert word in error["message"]


def test_a_run_goes_from_two_pictures_to_frames_and_a_result(client: TestClient) -> None:
    run_id = start(client)
    events = follow(client, run_id)
    assert [event["kind"] for event in events] == ["queued", "started", "epoch", "epoch", "epoch", "finished"]
    assert [event["n"] for event in events] == [1, 2, 3, 4, 5, 6]
    run = client.get(f"/api/v1/runs/{run_id}").json()
    assert (run["state"], run["epoch"], run["epochs"], run["frames"]) == ("finished", 2, 2, 3)
    assert run["queue_position"] is None
    assert run["error"] == ""
    assert run["extractor"] == "compact"
    assert set(run["losses"]) == {"total", "content", "style", "tv", "neighbors"}
    assert run["options"] == StyleOptions(**QUICK).to_json()
    frame = client.get(f"/api/v1/runs/{run_id}/frames/{events[3]['frame']}.jpg")
    assert frame.content[:3] == b"\xff\xd8\xff"
    assert "immutable" in frame.headers["cache-control"]
    assert client.get(run["result"]).content[:4] == b"\x89PNG"
    assert client.get("/api/v1/runs").json()["runs"][0]["id"] == run_id


def test_data_urls_and_forms_are_read_as_well(client: TestClient) -> None:
    start(client, content="data:image/png;base64," + encoded(picture()))
    files = {"content": ("a.png", picture()), "style": ("b.jpg", picture(format="JPEG"))}
    for data in (QUICK, {"options": json.dumps(QUICK)}):
        answer = client.post("/api/v1/runs", files=files, data=data)
        assert answer.status_code == 202, answer.text
        run = client.get(answer.headers["location"]).json()
        assert run["options"]["epochs"] == 2


def test_a_run_that_ends_by_itself_has_the_epochs_it_did(client: TestClient) -> None:
    files = {"content": ("a.png", picture()), "style": ("b.png", picture())}
    answer = client.post("/api/v1/runs", files=files, data=QUICK | {"epochs": "auto"})
    assert answer.status_code == 202, answer.text
    started, *_ = (event for event in follow(client, answer.json()["id"]) if event["kind"] == "started")
    assert (started["epochs"], started["precision"], started["tiled"]) == (100, "bfloat16", False)
    run = client.get(answer.headers["location"]).json()
    assert (run["options"]["epochs"], run["epoch"], run["epochs"], run["frames"]) == ("auto", 31, 31, 32)
    assert (run["precision"], run["tiled"]) == ("bfloat16", False)


def test_the_type_of_a_form_may_be_in_capitals(client: TestClient) -> None:
    headers = {"Content-Type": "Multipart/Form-Data; boundary=x"}
    assert_error(client.post("/api/v1/runs", content=b"--x--\r\n", headers=headers), 422, "invalid", field="content")


def test_a_form_that_cannot_be_read_is_malformed(client: TestClient) -> None:
    for kind, content in (("multipart/form-data", b"x"), ("multipart/form-data; boundary=x", b"--y\r\nzz")):
        answer = client.post("/api/v1/runs", content=content, headers={"Content-Type": kind})
        assert_error(answer, 400, "malformed")


def test_a_field_of_a_form_that_is_nested_too_deeply_is_refused(client: TestClient) -> None:
    files = {"content": ("a.png", picture()), "style": ("b.png", picture())}
    deep = "[" * 200_000
    answer = client.post("/api/v1/runs", files=files, data={"options": deep})
    assert_error(answer, 422, "invalid", "too deeply", field="options")


def test_a_request_for_events_waits_and_returns_each_event_once(client: TestClient) -> None:
    run_id = start(client)
    last = follow(client, run_id)[-1]["n"]
    assert client.get(f"/api/v1/runs/{run_id}/events?after={last}&wait=0.05").json() == {"events": [], "last": last}


@pytest.mark.timeout(15)
def test_a_request_for_events_does_not_wait_once_a_run_has_ended(client: TestClient) -> None:
    run_id = start(client)
    last = follow(client, run_id)[-1]["n"]
    assert client.get(f"/api/v1/runs/{run_id}/events?after={last}&wait=30").json()["events"] == []


def test_runs_queue_up_and_can_be_stopped(client: TestClient) -> None:
    first, second = start(client, options=ENDLESS), start(client, options=ENDLESS)
    while client.get(f"/api/v1/runs/{first}").json()["frames"] < 1:
        client.get(f"/api/v1/runs/{first}/events?after=1&wait=2")
    positions = [client.get(f"/api/v1/runs/{run_id}").json()["queue_position"] for run_id in (first, second)]
    assert positions == [0, 1]
    for run_id in (second, first):
        assert client.post(f"/api/v1/runs/{run_id}/stop").status_code == 202
        assert follow(client, run_id)[-1]["kind"] == "stopped"
    assert client.get(f"/api/v1/runs/{first}/result.png").status_code == 200
    assert_error(client.get(f"/api/v1/runs/{second}/result.png"), 404, "not_found")


def test_a_run_that_ended_cannot_be_stopped(client: TestClient) -> None:
    run_id = start(client)
    follow(client, run_id)
    assert_error(client.post(f"/api/v1/runs/{run_id}/stop"), 409, "conflict", run_id, "finished")


def test_a_failed_run_contains_the_reason(client: TestClient) -> None:
    run_id = start(client, options=QUICK | {"epochs": 5, "seed": 13})
    assert follow(client, run_id)[-1]["kind"] == "failed"
    assert "learning rate" in client.get(f"/api/v1/runs/{run_id}").json()["error"]


@pytest.mark.parametrize(
    ("changes", "status", "code", "words", "field"),
    [
        ({"content": None}, 422, "invalid", ["`content` is missing"], "content"),
        ({"style": 7}, 422, "invalid", ["`style`", "base64", "int"], "style"),
        ({"style": "%%%"}, 422, "invalid", ["`style` is not base64"], "style"),
        ({"style": "http://a/b,c"}, 422, "invalid", ["data URL", "http://a"], "style"),
        ({"content": encoded(b"no picture")}, 415, "not_an_image", ["PNG"], "content"),
        ({"content": ""}, 415, "not_an_image", [], "content"),
        ({"style": encoded(picture(8, 8))}, 422, "invalid", ["16"], "style"),
        ({"sytle": "x"}, 422, "invalid", ["'sytle'", "did you mean 'style'?"], "sytle"),
        ({"options": {"epoch": 3}}, 422, "invalid", ["did you mean 'epochs'?"], "epoch"),
        ({"options": {"size": 8}}, 422, "invalid", ["`size`", "between 64 and 4096", "got 8"], "size"),
        ({"options": {"size": "big"}}, 422, "invalid", ["`size`", "'big'"], "size"),
        ({"options": {"extractor": "vgg"}}, 422, "invalid", ["vgg19"], "extractor"),
        ({"options": [1]}, 422, "invalid", ["options must be an object"], None),
        ({"options": []}, 422, "invalid", ["options must be an object", "list"], None),
        ({"options": ""}, 422, "invalid", ["options must be an object", "str"], None),
        ({"options": 0}, 422, "invalid", ["options must be an object", "int"], None),
        ({"options": {"extractor": "vgg19"}}, 422, "invalid", ["`extractor` cannot be 'vgg19'"], "extractor"),
        ({"options": {"init": "image"}}, 422, "invalid", ["no picture to start from"], "init"),
    ],
)
def test_an_invalid_run_is_refused_in_one_line(
    client: TestClient, changes: dict[str, Any], status: int, code: str, words: list[str], field: str | None
) -> None:
    assert_error(client.post("/api/v1/runs", json=body(**changes)), status, code, *words, field=field)


HALVES = (b'{"\\ud800": 1}', b'{"options": {"\\udfff": 1}}', b'{"content": "\xed\xa0\x80"}')


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"", b"[" * 200_000, b'{"options":' * 200_000, *HALVES])
def test_a_body_that_cannot_be_read_is_malformed(client: TestClient, content: bytes) -> None:
    assert_error(client.post("/api/v1/runs", content=content), 400, "malformed", "JSON")


@pytest.mark.parametrize("path", ["runs/x", "runs/x/events", "runs/x/frames/1.jpg", "runs/x/result.png"])
def test_an_unknown_run_is_not_found(client: TestClient, path: str) -> None:
    assert_error(client.get(f"/api/v1/{path}"), 404, "not_found", "'x'")


@pytest.mark.parametrize("path", ["nothing", "runs/x/y/z", "samples/mona.jpg", f"uploads/{'0' * 64}.jpg"])
def test_an_unknown_path_is_not_found(client: TestClient, path: str) -> None:
    assert_error(client.get(f"/api/v1/{path}"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "runs", "GET, POST"), ("POST", "health", "GET"), ("GET", "runs/x/stop", "POST")],
)
def test_a_wrong_method_gets_405_with_the_allowed_ones(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, f"/api/v1/{path}")
    assert_error(answer, 405, "method_not_allowed", allowed, method)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("kind", ["samples/owl", f"uploads/{'0' * 64}"])
@pytest.mark.parametrize("side", ["129", "x", "-1"])
def test_thumbnails_have_only_the_sizes_of_the_pages(client: TestClient, kind: str, side: str) -> None:
    assert_error(client.get(f"/api/v1/{kind}.jpg?side={side}"), 422, "invalid", field="side")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1" + 400 * "0", "wait=900", "wait=nan", "wait=1e999"])
def test_a_bad_query_is_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/v1/runs/{start(client)}/events?{query}")
    assert_error(answer, 422, "invalid", field=query.partition("=")[0])


@pytest.mark.parametrize(("path", "size"), [("runs", 10**9), ("stylize", 10**9), ("estimate", 2 * 2**20)])
def test_a_body_with_too_large_a_content_length_is_refused_at_once(client: TestClient, path: str, size: int) -> None:
    answer = client.post(f"/api/v1/{path}", content=b"{}", headers={"Content-Length": str(size)})
    assert_error(answer, 413, "too_large", "MB")


def test_a_body_that_grows_too_large_is_refused_while_it_is_received() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    client = TestClient(BodyLimit(application, lambda path: 1000))
    assert client.post("/", content=b"x" * 1000).text == "ok"
    assert_error(client.post("/", content=(b"x" * 100 for _ in range(11))), 413, "too_large")


def test_a_picture_over_thirty_megabytes_is_too_large(client: TestClient) -> None:
    assert_error(
        client.post("/api/v1/runs", json=body(content=encoded(bytes(31 * 2**20)))), 413, "too_large", field="content"
    )


def test_every_option_is_described(client: TestClient) -> None:
    described = client.get("/api/v1/options").json()
    assert list(described) == [option.name for option in options_of(StyleOptions)]
    assert described["size"]["minimum"] == 64
    assert "noise" in described["init"]["enum"]
    number, word = described["epochs"]["anyOf"]
    assert (number["minimum"], number["maximum"], word["enum"]) == (1, 1000, ["auto"])


def test_samples_are_listed_and_shown(client: TestClient) -> None:
    listed = client.get("/api/v1/samples").json()["samples"]
    assert {each["kind"] for each in listed} == {"content", "style"}
    thumbnail, picture = client.get(listed[0]["thumbnail"]), client.get(listed[0]["picture"])
    assert (thumbnail.headers["content-type"], picture.headers["content-type"]) == ("image/jpeg", "image/png")
    assert thumbnail.content == find(listed[0]["name"]).thumbnail(128).read_bytes()
    assert picture.content[:4] == b"\x89PNG"
    shipped = read_file(find(listed[0]["name"]).path)
    assert np.array_equal(read(picture.content).rgb, shipped.rgb)


def test_health_contains_the_state_of_the_worker(client: TestClient) -> None:
    health = client.get("/api/v1/health").json()
    assert health["status"] == "ok"
    assert health["worker"] in ("starting", "warm")


def test_the_docs_are_made_of_files_of_this_server(client: TestClient) -> None:
    page = client.get("/docs").text
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "/assets/docs/swagger-ui/swagger-ui-bundle.js" in links
    assert [link for link in links if not link.startswith("/") or client.get(link).status_code != 200] == []
    assert "/assets/docs/" not in client.get("/").text
