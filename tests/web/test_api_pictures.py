"""The pictures of a run over REST: frames and their marks, the newest, thumbnails, results, timelapses."""

import io
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from nst.errors import Busy, Conflict, DiskFull, NotFound
from nst.jobs.storage.store import Store
from nst.options.style_options import StyleOptions
from nst.pictures.timelapse import TimelapseOptions
from nst.runs.events import Finished, Losses, Started
from nst.runs.run import Run
from nst.web.service.timelapses import Timelapses
from tests.epochs import epoch_event
from tests.jobs.runs import fill_disk
from tests.web.sites import picture
from tests.web.test_api import ENDLESS, assert_error, follow, start

PATH = "/api/v1/runs"


@pytest.fixture(scope="module")
def run_id(client: TestClient) -> str:
    """A finished run of epochs 0, 1, 2."""
    run_id = start(client)
    follow(client, run_id)
    return run_id


def test_the_stored_frames_are_listed(client: TestClient, run_id: str) -> None:
    frames = client.get(f"{PATH}/{run_id}/frames").json()["frames"]
    assert [frame["epoch"] for frame in frames] == [0, 1, 2]
    for frame in frames:
        assert len(client.get(frame["url"]).content) == frame["bytes"]


def test_a_frame_is_marked_and_unmarked(client: TestClient, run_id: str) -> None:
    def marked() -> list[bool]:
        return [frame["marked"] for frame in client.get(f"{PATH}/{run_id}/frames").json()["frames"]]

    assert client.put(f"{PATH}/{run_id}/frames/1/mark").status_code == 204
    assert marked() == [False, True, False]
    assert client.delete(f"{PATH}/{run_id}/frames/1/mark").status_code == 204
    assert marked() == [False, False, False]
    assert_error(client.put(f"{PATH}/{run_id}/frames/77/mark"), 404, "not_found", "77")


@pytest.mark.parametrize("n", ["-1", "x", "1" + 30 * "0", "1" + 5000 * "0"])
def test_a_frame_needs_a_valid_number(client: TestClient, run_id: str, n: str) -> None:
    assert_error(client.get(f"{PATH}/{run_id}/frames/{n}.jpg"), 422, "invalid", field="n")


def test_the_newest_frame_is_available_at_any_time(client: TestClient, run_id: str) -> None:
    answer = client.get(f"{PATH}/{run_id}/partial.jpg")
    assert answer.headers["nst-epoch"] == "2"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == client.get(f"{PATH}/{run_id}/frames/2.jpg").content
    blocked, waiting = start(client, options=ENDLESS), start(client)
    assert_error(client.get(f"{PATH}/{waiting}/partial.jpg"), 404, "not_found", "no frame yet")
    assert_error(client.get(f"{PATH}/{waiting}/thumbnail.jpg"), 404, "not_found")
    for each in (waiting, blocked):
        client.post(f"{PATH}/{each}/stop")


@pytest.mark.parametrize("side", [128, 512])
def test_a_thumbnail_is_small_and_can_be_cached(client: TestClient, run_id: str, side: int) -> None:
    answer = client.get(f"{PATH}/{run_id}/thumbnail.jpg?side={side}")
    assert max(Image.open(io.BytesIO(answer.content)).size) <= side
    mark = {"If-None-Match": answer.headers["etag"]}
    assert client.get(f"{PATH}/{run_id}/thumbnail.jpg?side={side}", headers=mark).status_code == 304
    assert client.get(f"{PATH}/{run_id}/thumbnail.jpg?side={640 - side}", headers=mark).status_code == 200
    assert_error(client.get(f"{PATH}/{run_id}/thumbnail.jpg?side=4096"), 422, "invalid", field="side")


def test_a_result_that_did_not_change_is_not_sent_again(client: TestClient, run_id: str) -> None:
    answer = client.get(f"{PATH}/{run_id}/result.png")
    assert "no-cache" in answer.headers["cache-control"]
    etag = answer.headers["etag"]
    for given in (etag, f"W/{etag}", f'"other", {etag}'):
        again = client.get(f"{PATH}/{run_id}/result.png", headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get(f"{PATH}/{run_id}/result.png", headers={"If-None-Match": '"other"'}).status_code == 200


def made(client: TestClient, run_id: str) -> dict[str, Any]:
    while (told_of := client.get(f"{PATH}/{run_id}/timelapse").json())["making"]:
        time.sleep(0.05)
    return told_of


@pytest.mark.parametrize(("kind", "begins"), [("mp4", b"ftyp"), ("webp", b"WEBP"), ("gif", b"GIF89a")])
def test_a_timelapse_is_made_in_another_process(client: TestClient, run_id: str, kind: str, begins: bytes) -> None:
    asked = {"format": kind, "seconds": 1.0, "size": 64}
    answer = client.post(f"{PATH}/{run_id}/timelapse", json=asked)
    assert answer.status_code == 202, answer.text
    film = next(film for film in made(client, run_id)["made"] if film["format"] == kind)
    answer = client.get(film["url"])
    assert begins in answer.content[:16]
    assert len(answer.content) == film["bytes"]
    assert kind in answer.headers["content-type"]
    assert client.get(film["url"], headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("body", "field"),
    [({"format": "avi"}, "format"), ({"seconds": 0}, "seconds"), ({"size": 10**9}, "size"), ({"fps": 25}, "fps")],
)
def test_an_invalid_timelapse_is_refused(client: TestClient, run_id: str, body: dict[str, Any], field: str) -> None:
    assert_error(client.post(f"{PATH}/{run_id}/timelapse", json=body), 422, "invalid", field=field)
    assert_error(client.get(f"{PATH}/{run_id}/timelapse.avi"), 404, "not_found", "avi")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def painted(store: Store, frames: int, image: bytes, width: int = 64, height: int = 48) -> Run:
    upload = store.put_upload(picture())
    run = store.create(StyleOptions(epochs=100), upload, upload)
    store.append(run.id, Started(extractor="compact", note="", width=width, height=height, epochs=frames, steps=frames))
    for n in range(frames):
        store.append(
            run.id,
            epoch_event(
                n,
                step=n,
                losses=Losses(1.0, 1.0, 0.0, 0.0),
                width=width,
                height=height,
                steps_per_second=1.0,
                image=image,
            ),
        )
    if frames:
        store.append(run.id, Finished(seconds=1.0, image=picture()))
    return store.run(run.id)


def wait_for(timelapses: Timelapses, run: Run) -> dict[str, Any]:
    while timelapses.describe(run.id)["making"]:
        time.sleep(0.02)
    return timelapses.describe(run.id)


def test_one_timelapse_is_made_at_a_time(store: Store) -> None:
    timelapses, run = Timelapses(store), painted(store, 3, picture(format="JPEG"))
    timelapses.make(run, TimelapseOptions(format="gif", size=64))
    with pytest.raises(Busy, match="a timelapse is being made"):
        timelapses.make(run, TimelapseOptions(format="webp", size=64))
    assert [film["format"] for film in wait_for(timelapses, run)["made"]] == ["gif"]
    with pytest.raises(NotFound, match="'mp4'"):
        timelapses.path(run.id, "mp4")
    timelapses.close()


def test_a_timelapse_that_the_disk_has_no_room_for_is_refused(small_disk: Path) -> None:
    store = Store(small_disk)
    run = painted(store, 3, bytes(10**6))
    fill_disk(small_disk)
    with pytest.raises(DiskFull, match=r"^cannot keep a timelapse in .*: the disk is full$"):
        Timelapses(store).make(run, TimelapseOptions(format="gif"))
    store.close()


def test_a_failed_timelapse_contains_the_reason(store: Store) -> None:
    timelapses, run = Timelapses(store), painted(store, 2, b"no picture")
    timelapses.make(run, TimelapseOptions(format="gif"))
    told_of = wait_for(timelapses, run)
    assert told_of["made"] == []
    assert "JPEG" in told_of["error"]
    with pytest.raises(Conflict, match="no frame yet"):
        timelapses.make(painted(store, 0, b""), TimelapseOptions())
    timelapses.close()


def test_an_interrupted_timelapse_leaves_no_file(store: Store) -> None:
    timelapses, run = Timelapses(store), painted(store, 40, picture(640, 480, format="JPEG"), 1920, 1440)
    timelapses.make(run, TimelapseOptions(format="webp", seconds=60, size=1920))
    while timelapses.describe(run.id)["making"]["done"] < 1:
        time.sleep(0.02)
    timelapses.close()
    timelapses.close()
    assert "unexpectedly" in timelapses.describe(run.id)["error"]
    names = {path.name for path in (store.folder / "runs" / run.id).iterdir()}
    assert names == {"frames", "result.png", "run.json"}
