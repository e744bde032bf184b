"""The service of pictures: thumbnails stay in memory, and requests that decode are counted."""

import io
import threading
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from PIL import Image

from nst.errors import Busy, NotFound
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.pictures import images
from nst.pictures.samples import SAMPLES, Sample, find
from nst.web.api import pictures as pictures_api
from nst.web.api import run_pictures
from nst.web.service.pictures import MOST_THUMBNAIL_BYTES, ORIGINAL_SIDE, Pictures
from tests.web.sites import picture


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    store = Store(tmp_path)
    return Pictures(store, Archive(store, 10**9))


def test_a_thumbnail_of_an_upload_is_decoded_once(pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = pictures.keep(picture(160, 120), "mine")
    decoded: list[int] = []
    thumbnail = images.thumbnail
    monkeypatch.setattr(images, "thumbnail", lambda data, side: decoded.append(side) or thumbnail(data, side))
    small, again, large = (pictures.thumbnail(ref, side) for side in (32, 32, 64))
    assert small == again != large
    assert decoded == [32, 64]
    assert pictures.original(ref) == pictures.original(ref) == pictures.original_in_run(ref.partition("/")[2])
    assert decoded == [32, 64, ORIGINAL_SIDE]


def test_thumbnails_in_memory_are_limited_by_their_bytes(pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "thumbnail", lambda data, side: bytes(MOST_THUMBNAIL_BYTES // 2))
    refs = [pictures.keep(picture(width, 64), "mine") for width in (64, 65, 66)]
    for ref in refs:
        pictures.original(ref)
    kept = [pictures._thumbnails.get((ref.partition("/")[2], ORIGINAL_SIDE)) is not None for ref in refs]
    assert kept == [False, True, True]


def test_a_sample_is_given_as_its_file_or_encoded_once(pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("decoded again")

    png = pictures.sample_png("owl")
    assert Image.open(io.BytesIO(png)).format == "PNG"
    monkeypatch.setattr(images, "thumbnail", refuse)
    monkeypatch.setattr(images, "read_file", refuse)
    assert pictures.original("samples/owl") == find("owl").path.read_bytes()
    assert pictures.sample_png("owl") == png
    with pytest.raises(NotFound, match="there is no sample 'oul'; did you mean 'owl'"):
        pictures.sample_png("oul")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_fits_where_its_file_is_sent_as_an_original(sample: Sample) -> None:
    with Image.open(sample.path) as opened:
        assert opened.format == "JPEG"
        assert max(opened.size) <= ORIGINAL_SIDE


def test_the_routes_that_decode_a_picture_describe_that_they_may_be_too_busy() -> None:
    described = {
        route.path: route.responses
        for router in (pictures_api.router, run_pictures.router)
        for route in router.routes
        if isinstance(route, APIRoute)
    }
    for path in ("/api/v1/uploads/{upload_id}.jpg", "/api/v1/runs/{run_id}/thumbnail.jpg"):
        assert {404, 503} <= described[path].keys()


def test_more_requests_than_may_decode_at_once_are_refused(pictures: Pictures) -> None:
    ref = pictures.keep(picture(160, 120), "mine")
    refused: list[Busy] = []
    done = threading.Semaphore(0)

    def ask(side: int) -> None:
        try:
            pictures.thumbnail(ref, side)
        except Busy as error:
            refused.append(error)
        done.release()

    with images.quick_line.take():  # as if one picture took long
        threads = [threading.Thread(target=ask, args=(16 + n,)) for n in range(images.quick_line.most + 2)]
        for thread in threads:
            thread.start()
        for _ in range(3):  # those that are refused do not wait
            assert done.acquire(timeout=30)
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    assert "try again in a moment" in str(refused[0])
    assert pictures.thumbnail(ref, 200)


def test_a_picture_that_was_removed_still_has_a_title(pictures: Pictures) -> None:
    found = pictures.choices({"content": "0" * 64, "style": "1" * 64}, {"content": "boat.png"})
    assert found["style"]["title"] == "a picture that was removed"
    assert found["content"]["title"] == "boat.png"
