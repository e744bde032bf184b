"""The OpenAPI document: it is complete, and every example in it works."""

import re
import time
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nst.web.api import router
from tests.styles.style_files import style_file
from tests.web.sites import picture
from tests.web.test_api import body, follow, start

PATH = "/api/v1/runs/{run_id}"
STYLES = "/api/v1/styles/fast"
GRIDS = "/api/v1/variations"
OPERATIONS = sorted(
    (method, route.path)
    for route in router.routes
    if route.include_in_schema  # type: ignore[attr-defined]
    for method in route.methods  # type: ignore[attr-defined]
)


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    return client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def finished(client: TestClient) -> dict[str, Any]:
    """A finished run with a timelapse."""
    run_id = start(client)
    follow(client, run_id)
    client.post(f"/api/v1/runs/{run_id}/timelapse", json={"format": "gif", "size": 64, "seconds": 1})
    while client.get(f"/api/v1/runs/{run_id}/timelapse").json()["making"]:
        time.sleep(0.05)
    return client.get(f"/api/v1/runs/{run_id}").json()


def waiting(client: TestClient) -> str:
    """The id of a run that stays queued: it needs a graphics card, which no worker has."""
    return client.post("/api/v1/runs", json=body(gpu=True)).json()["id"]


def run_for(client: TestClient, method: str, path: str, finished: dict[str, Any]) -> str:
    """The id of a run in a state that allows the operation."""
    if path in (f"{PATH}/stop", f"{PATH}/move", f"{PATH}/pause", f"{PATH}/weights"):
        return waiting(client)
    if path == f"{PATH}/resume":
        run_id = waiting(client)
        client.post(f"/api/v1/runs/{run_id}/pause")
        return run_id
    if (method, path) in (("DELETE", PATH), ("POST", f"{PATH}/continue")):
        run_id = start(client)
        follow(client, run_id)
        return run_id
    return finished["id"]


def style_for(client: TestClient, method: str, path: str) -> str:
    """The name of a style that the operation may be tried on."""
    name = "starry-night"
    if name not in {style["name"] for style in client.get("/api/v1/styles").json()["fast"]}:
        bring(client, name)
    if (method, path) in (("DELETE", f"{STYLES}/{{name}}"), ("PATCH", f"{STYLES}/{{name}}")):
        name = "quilt"
        client.delete(f"{STYLES}/{name}")
        bring(client, name)
    return name


def grid_of_two(client: TestClient) -> tuple[str, str]:
    """The ids of a grid of variations that is painted, and of its first run."""
    pictures = {role: picture for role, picture in body().items() if role != "options"}
    grid = client.post(GRIDS, json={**pictures, "vary": {"seed": [1, 2]}, "size": 64, "epochs": 1}).json()
    for run in grid["runs"]:
        follow(client, run["id"])
    return grid["id"], grid["runs"][0]["id"]


def bring(client: TestClient, name: str) -> None:
    client.post(STYLES, files={"file": ("a.style", style_file(name).to_bytes())})


def bodies(said: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """The bodies of the examples, as arguments of a request; a file, which has none, is made here."""
    if "requestBody" not in said:
        return [{}]
    contents = said["requestBody"]["content"]
    if path == "/api/v1/uploads":
        return [{"files": {"file": ("a.png", picture(), "image/png")}}]
    if list(contents) == ["multipart/form-data"]:
        return [{"files": {"file": ("a.style", style_file(uuid.uuid4().hex).to_bytes())}}]
    found = [{"json": each["example"]} for each in contents.values() if "example" in each]
    assert found, "a body without an example"
    return found


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_example_runs(
    client: TestClient, document: dict[str, Any], finished: dict[str, Any], method: str, path: str
) -> None:
    said = document["paths"][path][method.lower()]
    run_id = run_for(client, method, path, finished)
    examples = {each["name"]: each["schema"].get("examples", [None])[0] for each in said.get("parameters", ())}
    if path.startswith(f"{GRIDS}/"):
        examples["grid_id"], run_id = grid_of_two(client)
    if path.startswith((STYLES, "/api/v1/stylize/fast")):
        examples["name"] = style_for(client, method, path)
    upload = finished["content"]
    if path == "/api/v1/uploads/{upload_id}.style":  # of a picture that is large enough for a style
        sent = client.post("/api/v1/uploads", files={"file": ("a.png", picture(96, 80), "image/png")})
        upload = sent.json()["ref"].removeprefix("uploads/")
    place = path.format(**{**examples, "run_id": run_id, "upload_id": upload})
    queries = {f"{PATH}/move": {"places": -1}, "/api/v1/results.zip": {"run": run_id}}
    for sent in bodies(said, path):
        answer = client.request(method, place, params=queries.get(path), **sent)
        assert answer.is_success, (place, answer.text)
        assert str(answer.status_code) in said["responses"]
    client.post(f"/api/v1/runs/{run_id}/stop")


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_is_described(document: dict[str, Any], method: str, path: str) -> None:
    said = document["paths"][path][method.lower()]
    assert said["summary"]
    assert said["description"]
    assert said["tags"]
    for code, answer in said["responses"].items():
        schemas = [each.get("schema") or each.get("itemSchema") for each in answer.get("content", {}).values()]
        assert all(schemas)
        if not code.startswith("2"):
            assert schemas == [{"$ref": "#/components/schemas/Problem"}]


def test_the_commands_name_the_address_that_they_are_requested_from(client: TestClient) -> None:
    found = client.get("/openapi.json", headers={"Host": "127.0.0.1:9123"}).json()["info"]["description"]
    addresses = re.findall(r"http://[^/]*", found)
    assert len(addresses) == 5
    assert set(addresses) == {"http://127.0.0.1:9123"}
