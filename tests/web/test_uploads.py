"""Pictures sent for the choosers of the page, and the results of several runs as one file."""

import errno
import io
import zipfile

import pytest
from fastapi.testclient import TestClient

from nst.pictures import images
from tests.web.sites import picture
from tests.web.test_api import QUICK, assert_error, follow


def upload(client: TestClient, name: str = "boat.png", **size: int) -> dict:
    answer = client.post("/api/v1/uploads", files={"file": (name, picture(**size), "image/png")})
    assert answer.status_code == 201
    return answer.json()


def start(client: TestClient, name: str, **options: object) -> str:
    files = {"content": (name, picture(), "image/png"), "style": ("sea.png", picture(colour="red"), "image/png")}
    return client.post("/api/v1/runs", files=files, data={key: str(value) for key, value in options.items()}).json()[
        "id"
    ]


def test_an_upload_is_named_by_its_path_and_its_size_is_that_of_the_picture(client: TestClient) -> None:
    stored = upload(client, "folder/boat.png", width=40, height=30)
    assert (stored["title"], stored["width"], stored["height"]) == ("boat.png", 40, 30)
    assert client.get(f"/api/v1/{stored['ref']}.jpg").status_code == 200
    assert upload(client, "again.png", width=40, height=30)["ref"] == stored["ref"]


def test_the_server_decodes_in_another_process_and_outlives_it(client: TestClient) -> None:
    process = images._decoders[-1]._process
    process.kill()
    process.wait()
    assert upload(client, "after.png", width=50, height=30)["width"] == 50


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        ({"file": ("notes.txt", b"words", "text/plain")}, 415, "'notes.txt' must be a picture"),
        ({}, 422, "file"),
        ({"other": ("a.png", picture(), "image/png")}, 422, "other"),
    ],
)
def test_what_is_no_picture_is_refused(client: TestClient, files: dict, status: int, words: str) -> None:
    answer = client.post("/api/v1/uploads", files=files)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


def test_the_results_of_several_runs_come_as_one_file_named_after_their_photographs(client: TestClient) -> None:
    runs = [start(client, name, **QUICK) for name in ("hill.png", "lake.jpg", "hill.png")]
    for run in runs:
        follow(client, run)
    answer = client.get("/api/v1/results.zip", params={"run": runs})
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert sorted(archive.namelist()) == ["hill 2.png", "hill.png", "lake.png"]
    assert client.delete(f"/api/v1/runs/{runs[0]}").status_code < 300
    rest = zipfile.ZipFile(io.BytesIO(client.get("/api/v1/results.zip", params={"run": runs}).content))
    assert sorted(rest.namelist()) == ["hill.png", "lake.png"]
    assert archive.read("lake.png") == client.get(f"/api/v1/runs/{runs[1]}/result.png").content


def test_a_run_that_is_named_again_is_packed_once(client: TestClient) -> None:
    run = start(client, "hill.png", **QUICK)
    follow(client, run)
    answer = client.get("/api/v1/results.zip", params={"run": [run] * 1000})
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == ["hill.png"]


def test_results_for_which_the_temporary_folder_has_no_room_are_refused_as_such(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    run = start(client, "hill.png", **QUICK)
    follow(client, run)
    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    answer = client.get("/api/v1/results.zip", params={"run": run})
    assert_error(answer, 507, "insufficient_storage", "cannot be packed in", "No space left on device")


def test_results_of_unknown_runs_are_refused(client: TestClient) -> None:
    assert_error(client.get("/api/v1/results.zip", params={"run": ["nowhere"]}), 404, "not_found")
    assert client.get("/api/v1/results.zip").status_code == 422


def test_a_waiting_run_is_moved_over_rest_and_one_that_ended_is_not(client: TestClient) -> None:
    run = start(client, "hill.png", **QUICK)
    follow(client, run)
    assert_error(client.post(f"/api/v1/runs/{run}/move", params={"places": -1}), 409, "conflict")
    assert client.post(f"/api/v1/runs/{run}/move").status_code == 422
