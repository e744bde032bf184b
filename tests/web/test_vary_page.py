"""The Variations page without a browser: what its form means, and which cells of the grid it updates."""

from pathlib import Path
from typing import Any

import pytest
from dash import Patch, no_update

from nst.errors import Busy, InputError, NotFound, OptionError
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.grids import Grid
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.options.variations import Variations
from nst.runs.events import Finished, Started
from nst.runs.humanize import GIGABYTE
from nst.web.callbacks.vary import _earlier_links, _errors, perform_action, read_variations
from nst.web.components.form.option_fields import fill_form
from nst.web.components.variation_grid import grid_view, pair_view
from nst.web.pages.vary import NONE, layout
from nst.web.service.service import Service
from tests.epochs import epoch_event
from tests.web.sites import picture

FORM = fill_form(StyleOptions(size=640, strength=2))
CHOICES: dict[str, Any] = {"mask": None}
NOTHING = ["", []]
PICTURES = {"content": "samples/owl", "style": "samples/night-wind"}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A service whose queue was never started."""
    settings, store = Settings(data=tmp_path, waiting=10), Store(tmp_path)
    return Service(settings, store, Queue(settings, store), Archive(store, 2 * GIGABYTE))


@pytest.fixture
def grid(service: Service) -> Grid:
    variations = Variations.parse(StyleOptions(), {"strength": "1,2", "seed": "0,1"}, size=64)
    return service.variations.start(variations, PICTURES)


def view(service: Service, grid: Grid, shown: list[Any] = NOTHING) -> dict[str, Any]:
    return grid_view(service.variations.describe(grid), shown)


def finish(service: Service, run_id: str) -> None:
    frame = epoch_event(1, image=picture(format="JPEG"))
    service.store.append(
        run_id,
        Started(extractor="compact", note="", width=64, height=48, epochs=1, steps=10),
        frame,
        Finished(seconds=1.0, image=picture()),
    )


def parts(tree: Any, kind: str) -> list[Any]:
    return [each for each in tree._traverse() if type(each).__name__ == kind]


def test_the_form_and_the_axes_make_a_grid() -> None:
    variations = read_variations(FORM, CHOICES, [["strength", "1,4"], ["seed", "0,1,2"]])
    assert (variations.rows, variations.columns, variations.options.size) == (2, 3, 640)
    single = read_variations(FORM, CHOICES, [["preset", "studio,gatys"], [NONE, "anything"]])
    assert (single.rows, single.columns, single.options.strength) == (1, 2, 2.0)


@pytest.mark.parametrize(
    ("axes", "beside", "elsewhere"),
    [
        ([["strength", "1,1000"], ["seed", "0,1"]], [0], ""),
        ([["strength", "1"], ["seed", ""]], [1], ""),
        ([["seed", "0,1"], ["seed", "2,3"]], [0, 1], ""),
        ([["seed", "0"], [NONE, ""]], [], "between 2 and 25 runs, got 1"),
    ],
)
def test_an_error_stands_beside_the_values_that_are_wrong(
    axes: list[list[str]], beside: list[int], elsewhere: str
) -> None:
    with pytest.raises(OptionError) as caught:
        read_variations(FORM, CHOICES, axes)
    messages, summary = _errors(caught.value, axes)
    assert [n for n, message in enumerate(messages) if message] == beside
    assert "`" not in "".join(messages)
    assert elsewhere in summary


def test_an_error_in_the_form_of_the_studio_says_where_it_is() -> None:
    axes = [["strength", "1,2"], [NONE, ""]]
    with pytest.raises(OptionError) as caught:
        read_variations({**FORM, "tv_weight": "much"}, CHOICES, axes)
    messages, summary = _errors(caught.value, axes)
    assert messages == ["", ""]
    assert summary.startswith("In the Studio: Smoothness weight must be a number")


def test_a_value_of_the_form_that_is_varied_does_not_count() -> None:
    assert read_variations({**FORM, "strength": "much"}, CHOICES, [["strength", "1,2"], [NONE, ""]]).columns == 2


def test_without_a_mask_its_use_does_not_count_and_with_one_it_must_fit_the_paintings(service: Service) -> None:
    form, axes = {**FORM, "mask_use": "styles"}, [["strength", "1,2"], [NONE, ""]]
    assert read_variations(form, CHOICES, axes).options.mask_use == "protect"
    masked = read_variations(form, {"mask": {"ref": "samples/marble"}}, axes)
    with pytest.raises(OptionError, match="`mask_use` styles needs two paintings"):
        service.variations.check(masked, {**PICTURES, "mask": "samples/owl"})
    with pytest.raises(InputError, match="`mask` must have the shape of the content"):
        service.variations.check(read_variations(FORM, CHOICES, axes), {**PICTURES, "mask": "samples/lake"})
    with pytest.raises(OptionError, match="`mask_use` is 'styles', but no mask was given"):
        service.variations.check(masked, PICTURES)


def test_a_grid_is_a_table_with_titles_and_then_only_changed_cells_are_sent(service: Service, grid: Grid) -> None:
    first = view(service, grid)
    [table] = [first["grid"]]
    assert [title.children for title in parts(table, "Th")] == ["Seed 0", "Seed 1", "Strength 1", "Strength 2"]
    assert first["status"] == "0 of 4 painted"
    assert not first["stop_off"]
    assert view(service, grid, first["shown"])["grid"] is no_update
    finish(service, grid.runs[2])
    second = view(service, grid, first["shown"])
    assert isinstance(second["grid"], Patch)
    [change] = second["grid"].to_plotly_json()["operations"]
    assert change["location"] == ["props", "children", 1, "props", "children", 1, "props", "children", 1]
    assert second["status"] == "1 of 4 painted"
    assert second["sheet"] == f"/api/v1/variations/{grid.id}/sheet.jpg"


def test_buttons_name_what_they_paint_and_keep(service: Service, grid: Grid) -> None:
    finish(service, grid.runs[3])
    service.archive.annotate(grid.runs[3], favorite=True)
    labels = [getattr(button, "aria-label") for button in parts(view(service, grid)["grid"], "Button")]
    assert "Paint large: Strength 2, Seed 1" in labels
    assert "Do not keep: Strength 2, Seed 1" in labels
    assert "Keep in the gallery: Strength 1, Seed 0" in labels


def test_a_deleted_quick_run_leaves_its_place(service: Service, grid: Grid) -> None:
    finish(service, grid.runs[0])
    service.archive.delete(grid.runs[0])
    assert "no longer kept" in str(view(service, grid)["grid"])


def test_actions_keep_paint_and_stop(service: Service, grid: Grid) -> None:
    perform_action(service, grid.id, "like", grid.runs[1])
    assert service.archive.annotations(grid.runs[1]).favorite
    perform_action(service, grid.id, "unlike", grid.runs[1])
    assert not service.archive.annotations(grid.runs[1]).favorite
    painted = service.store.run(perform_action(service, grid.id, "paint", grid.runs[2]))
    assert (painted.options.strength, painted.options.size, painted.variations) == (2.0, 512, "")
    perform_action(service, grid.id, "stop", "")
    assert view(service, grid)["stop_off"]
    with pytest.raises(NotFound):
        perform_action(service, "0" * 32, "stop", "")


def test_a_grid_that_does_not_fit_into_the_queue_leaves_nothing_there(service: Service, grid: Grid) -> None:
    variations = Variations.parse(StyleOptions(), {"seed": list(range(7))})
    with pytest.raises(Busy, match="at most 10 runs may wait, and 4 do, so 7 more are too many"):
        service.variations.start(variations, PICTURES)
    assert len(service.store.active()) == 4
    assert service.variations.newest() == [grid]


def test_earlier_grids_and_the_pair_are_listed(service: Service, grid: Grid) -> None:
    [item] = _earlier_links(service, "")
    assert parts(item, "A")[0].href == f"#{grid.id}"
    assert [image.src for image in parts(item, "Img")] == [
        "/api/v1/samples/owl.jpg?side=128", "/api/v1/samples/night-wind.jpg?side=128"
    ]  # fmt: skip
    assert parts(item, "Small")[0].children[0] == "Strength 1, Strength 2 · "
    assert parts(item, "Time")[0].dateTime.startswith("20")
    [figure] = pair_view({"content": {"ref": "samples/owl", "title": "Owl"}, "style": None})
    assert parts(figure, "Img")[0].src == "/api/v1/samples/owl.jpg?side=128"


def test_the_page_offers_every_option_of_a_run() -> None:
    first, second = parts(layout(), "Select")
    names = [option["value"] for option in first.options]
    assert {"strength", "style_scale", "preset", "seed", "extractor", "content_weight", "optimizer"} < set(names)
    assert [option["value"] for option in second.options] == [NONE, *names]
