import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import samples
from nst.errors import OptionError
from nst.samples import CONTENTS, STYLES, Sample, find, path_of, thumbnail_of

ALL = (*CONTENTS, *STYLES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


def pixels(sample: Sample, folder: Path) -> np.ndarray:
    with Image.open(path_of(sample, folder)) as picture:
        return np.asarray(picture)


class Count:
    """A sample's `draw` that counts its calls and lets two callers meet inside."""

    def __init__(self, meeting: threading.Barrier | None = None) -> None:
        self.calls, self.meeting = 0, meeting

    def __call__(self) -> Image.Image:
        self.calls += 1
        if self.meeting:
            self.meeting.wait(10)
        return Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 20).convert("RGB")


def test_there_are_at_least_four_contents_and_eight_styles_under_names_of_their_own() -> None:
    assert len(CONTENTS) >= 4
    assert len(STYLES) >= 8
    assert all(sample.kind == "content" for sample in CONTENTS)
    assert all(sample.kind == "style" for sample in STYLES)
    assert len({sample.name for sample in ALL}) == len({sample.title for sample in ALL}) == len(ALL)
    assert all(sample.name.replace("-", "").isalnum() and sample.name.islower() for sample in ALL)


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
def test_a_sample_is_a_rich_rgb_picture_of_a_good_size(sample: Sample, folder: Path) -> None:
    with Image.open(path_of(sample, folder)) as picture:
        assert picture.mode == "RGB"
        assert 768 == max(picture.size) > min(picture.size) >= 576 or picture.size == (768, 768)
    image = pixels(sample, folder).astype(np.float32)
    assert image.std() > 30  # from dark to light
    codes = (image // 16) @ np.array([1, 16, 256], np.float32)
    assert len(np.unique(codes)) > 60  # many colours, be they of one ink


@pytest.mark.parametrize("sample", STYLES, ids=lambda sample: sample.name)
def test_a_style_has_texture_from_edge_to_edge(sample: Sample, folder: Path) -> None:
    grey = pixels(sample, folder).astype(np.float32).mean(-1)
    rows, columns = grey.shape[0] // 64 * 64, grey.shape[1] // 64 * 64
    tiles = grey[:rows, :columns].reshape(rows // 64, 64, columns // 64, 64)
    assert tiles.std((1, 3)).min() > 2.5


def test_all_pictures_differ(folder: Path) -> None:
    small = {}
    for sample in ALL:
        with Image.open(path_of(sample, folder)) as picture:
            small[sample.name] = np.asarray(picture.resize((96, 96)), np.float32)
    names = list(small)
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            assert np.abs(small[name] - small[other]).mean() > 20, (name, other)


@pytest.mark.parametrize("name", ["marble", "golden-tree"])
def test_drawing_again_gives_the_same_bytes(name: str, folder: Path, tmp_path: Path) -> None:
    np.random.seed(1)  # the global generator has no say
    assert path_of(find(name), tmp_path).read_bytes() == path_of(find(name), folder).read_bytes()


def test_a_picture_is_drawn_once_for_file_and_thumbnails(tmp_path: Path) -> None:
    draw = Count()
    sample = Sample("dot", "A dot", "style", draw)
    first, again = path_of(sample, tmp_path / "new"), path_of(sample, tmp_path / "new")
    small, smaller = thumbnail_of(sample, tmp_path / "new", 40), thumbnail_of(sample, tmp_path / "new", 32)
    assert first == again
    assert draw.calls == 1
    with Image.open(small) as a, Image.open(smaller) as b:
        assert (a.format, a.size, b.size) == ("JPEG", (40, 30), (32, 24))
    assert thumbnail_of(sample, tmp_path / "new", 40) == small


def test_a_new_version_is_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Count()
    sample = Sample("dot", "A dot", "style", draw)
    old = path_of(sample, tmp_path)
    monkeypatch.setattr(samples, "VERSION", samples.VERSION + 1)
    assert path_of(sample, tmp_path) != old
    assert draw.calls == 2


def test_two_threads_that_draw_at_once_leave_one_whole_picture(tmp_path: Path) -> None:
    sample = Sample("dot", "A dot", "style", Count(threading.Barrier(2)))
    threads = [threading.Thread(target=path_of, args=(sample, tmp_path)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [path.name for path in tmp_path.iterdir()] == [path_of(sample, tmp_path).name]
    with Image.open(path_of(sample, tmp_path)) as picture:
        picture.load()


def test_a_failed_drawing_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> Image.Image:
        raise RuntimeError("out of paint")

    with pytest.raises(RuntimeError):
        path_of(Sample("dot", "A dot", "style", fail), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_find_knows_each_name_and_suggests_one_for_a_slip() -> None:
    assert all(find(sample.name) is sample for sample in ALL)
    with pytest.raises(OptionError, match="there is no sample 'harbor'; did you mean 'harbour'"):
        find("harbor")
    with pytest.raises(OptionError, match="there are harbour, lake"):
        find("zzz")
