"""Pictures stylized in one pass by a real worker: in a style, in a mix, in all styles at once."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from nst.errors import NotAnImage, NotFound, OptionError, StyleError
from nst.options.fast_options import FastOptions
from nst.runs.job import FastJob, FastPicture
from nst.styles.style_file import StyleFile
from nst.styles.style_library import shipped_file
from nst.styles.style_picture import StylePicture
from nst.web.service.fast_styles import FastResult, FastStyles
from tests.jobs.runs import wait_until
from tests.styles.style_files import style_file
from tests.web.sites import picture

PLAIN = FastOptions()


@pytest.fixture
def instant(client: TestClient) -> Iterator[FastStyles]:
    """That of a site, with styles of two networks besides the shipped ones; removes what a test adds."""
    library, queue = client.app.state.service.library, client.app.state.service.queue
    wait_until(lambda: queue.ready_count)
    before = {entry.name for entry in library.entries()}
    library.add(style_file("waves", "dots").to_bytes())
    library.add(style_file("cubes", seed=1).to_bytes())
    yield client.app.state.service.fast_styles
    for name in {entry.name for entry in library.entries()} - before:
        library.remove(name)


@pytest.fixture
def shipped(instant: FastStyles) -> str:
    return next(entry.name for entry in instant.library.entries() if entry.shipped)


def pixels(painted: FastResult | bytes) -> np.ndarray:
    data = painted if isinstance(painted, bytes) else painted.data
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32)


def test_a_picture_is_stylized_in_a_shipped_style(instant: FastStyles, shipped: str) -> None:
    painted = instant.stylize(picture(80, 50), shipped, PLAIN)
    assert (painted.width, painted.height) == (80, 50)
    assert painted.mix == {shipped: 1.0}
    assert painted.seconds > 0
    assert pixels(painted).shape == (50, 80, 3)
    assert np.abs(pixels(painted) - pixels(picture(80, 50))).mean() > 1


def test_a_png_contains_how_it_was_made(instant: FastStyles, shipped: str) -> None:
    painted = instant.stylize(picture(), {shipped: 2}, FastOptions(strength=0.5))
    said = json.loads(Image.open(io.BytesIO(painted.data)).text["nst-fast"])
    assert said["mix"] == {shipped: 1.0}
    assert FastOptions.from_json(said["options"]) == FastOptions(strength=0.5)
    assert said["network"] == instant.library.find(shipped).file.network
    assert said["nst"]


def test_a_jpeg_of_another_size_can_be_requested(instant: FastStyles, shipped: str) -> None:
    painted = instant.stylize(picture(128, 64), shipped, FastOptions(size=64), "jpeg")
    assert (painted.width, painted.height) == (64, 32)
    assert Image.open(io.BytesIO(painted.data)).format == "JPEG"


def test_transparency_is_kept(instant: FastStyles, shipped: str) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (32, 32), (200, 100, 50, 128)).save(file, "PNG")
    painted = instant.stylize(file.getvalue(), shipped, PLAIN)
    assert Image.open(io.BytesIO(painted.data)).getchannel("A").getextrema() == (128, 128)


def test_a_mix_lies_between_its_styles(instant: FastStyles) -> None:
    first, second, mixed = (
        pixels(instant.stylize(picture(), mix, PLAIN)) for mix in ("waves", "dots", {"waves": 1, "dots": 1})
    )
    for one in (first, second):
        assert 0 < np.abs(mixed - one).mean() < np.abs(first - second).mean()


def test_a_result_does_not_depend_on_the_other_styles_of_a_network(instant: FastStyles) -> None:
    before = pixels(instant.stylize(picture(), "dots", PLAIN))
    instant.library.remove("waves")
    assert np.array_equal(pixels(instant.stylize(picture(), "dots", PLAIN)), before)


def test_a_replaced_style_is_used_at_once(instant: FastStyles) -> None:
    before = pixels(instant.stylize(picture(), "waves", PLAIN))
    file = style_file("waves", "dots")
    again = replace(file, styles={"waves": replace(file.styles["waves"], vector=file.styles["dots"].vector)})
    instant.library.add(again.to_bytes(), replace_existing=True)
    assert not np.array_equal(pixels(instant.stylize(picture(), "waves", PLAIN)), before)


def test_thumbnails_are_in_the_order_of_the_library(instant: FastStyles) -> None:
    shown = instant.thumbnails(picture(300, 200), 96)
    assert list(shown) == [entry.name for entry in instant.library.entries()]
    for data in shown.values():
        thumbnail = Image.open(io.BytesIO(data))
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (96, 64))


@pytest.mark.parametrize(
    ("width", "height", "shown"),
    [(40, 30, (40, 30)), (2000, 20, (64, 8)), (20, 2000, (8, 64)), (16, 16, (16, 16)), (64, 4480, (8, 64))],
)
def test_a_thumbnail_is_never_larger_than_its_picture_and_has_at_least_eight_pixels_a_side(
    instant: FastStyles, width: int, height: int, shown: tuple[int, int]
) -> None:
    data = instant.thumbnails(picture(width, height), 64, styles=["dots"])["dots"]
    assert Image.open(io.BytesIO(data)).size == shown


def test_a_thumbnail_looks_like_the_result(instant: FastStyles, shipped: str) -> None:
    result = Image.open(io.BytesIO(instant.stylize(picture(128, 96), shipped, PLAIN).data)).convert("RGB")
    reduced = np.asarray(result.resize((64, 48), Image.Resampling.LANCZOS), np.float32)
    thumbnail = pixels(instant.thumbnails(picture(128, 96), 64, styles=[shipped])[shipped])
    coarse = pixels(instant.stylize(picture(128, 96), shipped, FastOptions(stroke_size=2, size=64)))
    # Measured: 5.5 against 33.5.
    assert np.abs(thumbnail - reduced).mean() < np.abs(coarse - reduced).mean() / 2


def test_a_painting_is_a_style_and_mixes_with_those_of_the_shipped_network(instant: FastStyles, shipped: str) -> None:
    ref = instant.paintings._pictures.keep(picture(96, 72, "maroon"), "garden.png")
    painted = instant.stylize(picture(), ref, PLAIN)
    assert painted.mix == {ref: 1.0}
    said = json.loads(Image.open(io.BytesIO(painted.data)).text["nst-fast"])
    assert said["mix"] == {ref.removeprefix("uploads/"): 1.0}
    mixed = instant.stylize(picture(), {ref: 1, shipped: 3}, PLAIN)
    assert mixed.mix == {ref: 0.25, shipped: 0.75}
    assert np.abs(pixels(mixed) - pixels(instant.stylize(picture(), shipped, PLAIN))).max() > 0
    with pytest.raises(StyleError, match="'waves' is of another"):
        instant.stylize(picture(), {ref: 1, "waves": 1}, PLAIN)
    with pytest.raises(NotFound, match="no upload"):
        instant.stylize(picture(), "uploads/" + "0" * 64, PLAIN)


def test_thumbnails_of_some_styles_and_paintings_follow_the_options(instant: FastStyles, shipped: str) -> None:
    ref = instant.paintings._pictures.keep(picture(96, 72, "maroon"), "garden.png")
    wanted = ["waves", ref, "cubes", shipped]
    full = instant.thumbnails(picture(), 64, styles=wanted)
    assert list(full) == wanted
    weak = instant.thumbnails(picture(), 64, styles=[ref], options=FastOptions(strength=0.1))
    assert np.abs(pixels(weak[ref]) - pixels(full[ref])).mean() > 1


def test_the_style_of_a_painting_is_kept_under_a_name(instant: FastStyles) -> None:
    painting = StylePicture.read(picture(96, 72, "maroon"), "garden.png")
    assert instant.add(painting, "my-garden") == "my-garden"
    entry = instant.library.find("my-garden")
    assert (entry.style.title, entry.file.network) == ("My Garden", shipped_file().network)
    assert entry.style.provenance["origin"] == "predicted from a painting"
    assert entry.style.provenance["picture"] == painting.sha256
    assert Image.open(io.BytesIO(entry.style.picture)).size == (96, 72)
    kept, predicted = (instant.stylize(picture(), style, PLAIN) for style in ("my-garden", instant.choose(painting)))
    assert np.array_equal(pixels(kept), pixels(predicted))
    with pytest.raises(StyleError, match="'my-garden' already"):
        instant.add(painting, "my-garden")
    with pytest.raises(StyleError, match="lower-case letters"):
        instant.add(painting, "My Garden")


def test_bad_input_is_refused_by_its_kind(instant: FastStyles, shipped: str) -> None:
    with pytest.raises(NotFound, match="did you mean"):
        instant.stylize(picture(), f"{shipped}x", PLAIN)
    with pytest.raises(StyleError, match="one network"):
        instant.stylize(picture(), {"waves": 1, "cubes": 1}, PLAIN)
    with pytest.raises(StyleError, match="1 to 4 styles"):
        instant.stylize(picture(), {}, PLAIN)
    with pytest.raises(NotAnImage, match="'content'"):
        instant.stylize(b"no picture", shipped, PLAIN)
    with pytest.raises(NotAnImage, match="'content'"):
        instant.thumbnails(picture()[:60], 64)
    with pytest.raises(OptionError, match="`strength` must be a number between 0 and 1"):
        instant.stylize(picture(), shipped, FastOptions(strength=2))


def test_a_job_contains_only_the_styles_it_needs(instant: FastStyles, shipped: str) -> None:
    jobs: list[FastJob] = []

    class Seen:
        def apply_style(self, job: FastJob, *client: str) -> list[FastPicture]:
            jobs.append(job)
            return instant.queue.apply_style(job, *client)

    seen = replace(instant, queue=Seen())  # type: ignore[arg-type]
    seen.stylize(picture(), "waves", PLAIN)
    seen.stylize(picture(), shipped, PLAIN)
    packed = StyleFile.from_bytes(jobs[0].file)
    assert list(packed.styles) == ["waves"]
    assert packed.network == style_file().network
    assert jobs[1].file == b""  # which every worker has
