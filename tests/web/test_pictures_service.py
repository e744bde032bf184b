"""The service of pictures: thumbnails stay in memory, and requests that decode are counted."""

import threading
from pathlib import Path

import pytest

from nst.errors import Busy
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.pictures import images
from nst.web.service.pictures import Pictures
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
