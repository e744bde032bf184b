"""The Instant page without a browser: its styles, the answers to its requests, and what Refine chooses."""

import base64
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash import no_update
from PIL import Image

from nst.errors import Conflict, ImageError, NotFound, StyleError
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.maintenance import repair
from nst.jobs.storage.store import Store
from nst.options.fast_options import FastOptions
from nst.options.option_field import options_of
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures.images import MAX_BYTES, encode_png
from nst.pictures.provenance import FastProvenance
from nst.pictures.samples import STYLES, find
from nst.runs.run import Run, State
from nst.runs.schedule import cost, schedule
from nst.styles.style_file import name_of
from nst.styles.style_library import shipped_file
from nst.web import ids, instant_ids
from nst.web.callbacks.form.whole_form import filled
from nst.web.callbacks.instant import answer, keep_result, result
from nst.web.callbacks.refine import StyleSource, refinement, refining_options, style_source
from nst.web.callbacks.style_grid import check_painting, chosen_photo, grid, perform_action
from nst.web.components.fast_mix import MIX_SLOTS
from nst.web.components.form.option_fields import FAST_BOXES, FAST_PREFIX, has_slider
from nst.web.components.run_card import facts
from nst.web.components.style_card import painting_card, style_card, style_summary
from nst.web.components.urls import instant_url
from nst.web.factory import ASSETS
from nst.web.pages import studio
from nst.web.service.fast_styles import FastResult
from nst.web.service.result_cache import ResultCache
from nst.web.service.service import Service
from tests.styles.style_files import style_file
from tests.web.sites import picture

AS_THEY_ARE = {"strength": "1", "stroke_size": "1", "keep_colors": False, "size": ""}


def service_in(folder: Path, **settings: Any) -> Service:
    """A service whose queue was never started."""
    store, settings_there = Store(folder), Settings(data=folder, **settings)
    return Service(settings_there, store, Queue(settings_there, store), Archive(store, 10**9))


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return service_in(tmp_path)


def imported(service: Service, *names: str) -> None:
    service.library.add(style_file(*names).to_bytes(), "mine.style")


def request(service: Service, **asked: Any) -> dict[str, Any]:
    ref = service.pictures.keep(picture(), "boat.png")
    return {
        "n": 7,
        "page": "mine",
        "ref": ref,
        "title": "boat.png",
        "mix": {"waves": 50},
        "values": AS_THEY_ARE,
    } | asked


def painted(service: Service, **mix: float) -> dict[str, Any]:
    """The answer that the page got for a result in a mix of styles."""
    ref = service.pictures.keep(picture(colour="navy"), "boat.png")
    key = service.result_cache.put(FastResult(picture(colour="red"), 64, 48, 0.2, mix))
    return {"key": key, "photo": {"ref": ref, "title": "boat.png"}, "file": "boat-waves.png"}


def components(tree: Any) -> list[Any]:
    return [tree, *(each for each in tree._traverse() if not isinstance(each, str))]


def test_every_option_has_a_control_and_numbers_with_a_default_a_slider() -> None:
    present = {each.id for each in components(studio.layout()) if isinstance(getattr(each, "id", None), str)}
    assert set(FAST_BOXES.values()) <= present
    sliders = [option.name for option in options_of(FastOptions) if has_slider(option)]
    assert sliders == ["strength", "stroke_size"]
    assert {ids.slider(FAST_PREFIX + name) for name in sliders} <= present
    assert all(instant_ids.mix(n, "weight") in present for n in range(MIX_SLOTS))


def test_the_script_of_the_page_has_the_ids_of_its_components() -> None:
    script = (ASSETS / "instant.js").read_text(encoding="utf-8")
    table = script.partition("const IDS = {")[2].partition("};")[0]
    found = dict(re.findall(r'([A-Z_]+): "([\w-]+)"', table))
    expected = {name: getattr(instant_ids, name) for name in found if name != "CARD"}
    assert found == {**expected, "CARD": instant_ids.style_card("")}
    rest = script.partition(table)[2]
    assert not [value for value in found.values() if re.search(rf"[\"`#]{value}[\"`]", rest) and "-" in value]
    assert {f"mix-slot-{n}" for n in range(MIX_SLOTS)} == {instant_ids.mix(n, "slot") for n in range(MIX_SLOTS)}


def test_imported_styles_are_listed_with_the_shipped_ones_and_have_a_menu(service: Service) -> None:
    imported(service, "waves")
    entries = service.library.entries()
    assert entries[0].shipped
    own = next(entry for entry in entries if entry.name == "waves")
    menus = [
        [each for each in components(style_card(entry, entry.shipped)) if each._type == "Details"] for entry in entries
    ]
    assert [bool(menu) for menu in menus] == [not entry.shipped for entry in entries]
    for entry, side in ((entries[0], 192), (own, 24)):
        [shown] = [each.src for each in components(style_card(entry, True)) if each._type == "Img"]
        assert max(Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2]))).size) == side
    assert style_summary(own) == {"name": "waves", "title": "The waves", "network": own.file.network, "picture": ""}


def test_a_style_is_renamed_by_its_title_and_removed(service: Service) -> None:
    imported(service, "waves")
    perform_action(service, {"do": "rename", "name": "waves", "title": "Été à la mer", "paintings": []})
    assert service.library.find("ete-a-la-mer").style.title == "Été à la mer"
    perform_action(service, {"do": "rename", "name": "ete-a-la-mer", "title": "海", "paintings": []})
    assert service.library.find("ete-a-la-mer").style.title == "海"
    perform_action(service, {"do": "remove", "name": "ete-a-la-mer", "paintings": []})
    with pytest.raises(NotFound):
        service.library.find("ete-a-la-mer")


def test_a_name_is_made_of_a_title() -> None:
    assert name_of("  My Kitchen: tiles, 1905! ") == "my-kitchen-tiles-1905"
    assert name_of("long " * 20) == "long-long-long-long-long-long-long-long"


def test_shipped_styles_stay_and_a_file_that_is_no_style_file_is_refused(service: Service) -> None:
    with pytest.raises(StyleError, match="cannot be changed"):
        perform_action(service, {"do": "remove", "name": service.library.entries()[0].name, "paintings": []})
    with pytest.raises(StyleError, match=r"'photo\.png' is no style file"):
        service.library.add(picture(), "photo.png")


def test_a_dropped_painting_is_stored_and_is_a_card_before_the_styles(service: Service) -> None:
    ref = service.pictures.keep(picture(96, 80), "my_garden.png")
    check_painting(service, ref, "my_garden.png")
    shown = grid(service, [ref, "uploads/" + "0" * 64])
    assert shown["styles"][0] == {
        "name": ref,
        "title": "my garden",
        "network": shipped_file().network,
        "picture": ref.removeprefix("uploads/"),
    }
    assert len(shown["styles"]) == len(shown["grid"]) == 1 + len(service.library.entries())
    assert shown["grid"][0].id == instant_ids.style_card(ref)
    buttons = {each.to_plotly_json()["props"].get("data-do") for each in components(shown["grid"][0])}
    assert {"pick", "mix", "keep", "remove"} <= buttons
    [export] = [each for each in components(shown["grid"][0]) if each._type == "A"]
    assert export.href == f"/api/v1/{ref}.style"
    fixed = {each.to_plotly_json()["props"].get("data-do") for each in components(painting_card(ref, "x", True))}
    assert "keep" not in fixed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (picture(60, 80), "at least 64 px wide and high, got 60 x 80 px"),
        (encode_png(np.full((80, 80, 3), 0.5, np.float32)), "'a.png' must have more than one color"),
    ],
)
def test_what_cannot_be_a_style_is_refused_in_one_line(service: Service, data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        check_painting(service, service.pictures.keep(data, "a.png"), "a.png")


def test_the_picture_that_an_address_names_is_chosen_if_it_is_stored(service: Service) -> None:
    ref = service.pictures.keep(picture(), "boat.png")
    assert chosen_photo(service, {"picture": ref}) == {"ref": ref, "title": "boat.png"}
    assert chosen_photo(service, {"picture": "samples/owl"}) == {"ref": "samples/owl", "title": find("owl").title}
    for gone in ("uploads/" + "0" * 64, "uploads/../../etc", "nothing", None):
        assert chosen_photo(service, {"picture": gone}) is no_update


def test_in_a_shared_studio_no_visitor_changes_the_styles(tmp_path: Path) -> None:
    service = service_in(tmp_path, many=True)
    with pytest.raises(Conflict, match="only its operator"):
        perform_action(service, {"do": "remove", "name": "waves", "paintings": []})


def test_a_request_is_to_be_repeated_while_there_is_no_worker(service: Service) -> None:
    imported(service, "waves")
    found = answer(result, service, request(service))
    assert (found["n"], found["again"], found["field"]) == (7, True, "")
    assert "no worker" in found["error"]


@pytest.mark.parametrize(("option", "typed"), [("size", "8"), ("size", "huge"), ("strength", "2"), ("stroke_size", "")])
def test_an_invalid_value_is_reported_for_its_control(service: Service, option: str, typed: str) -> None:
    found = answer(result, service, request(service, values=AS_THEY_ARE | {option: typed}))
    assert (found["again"], found["field"]) == (False, option)
    rule = " must be " if typed else ": enter "
    assert found["error"].startswith(f"{option.replace('_', ' ').capitalize()}{rule}")


def test_an_unexpected_exception_is_answered_too(service: Service) -> None:
    found = answer(lambda *_: {"never": 1 / 0}, service, request(service))
    assert (found["n"], found["again"], found["error"]) == (7, False, "Something went wrong here.")


def test_a_removed_style_or_picture_is_reported_in_one_line(service: Service) -> None:
    for asked in ({"mix": {"gone": 1}}, {"ref": "uploads/" + "0" * 64}):
        found = answer(result, service, request(service, **asked))
        assert not found["again"]
        assert "\n" not in found["error"]


def test_results_are_kept_until_newer_ones_exceed_the_limits() -> None:
    results, small = ResultCache(max_results=2, max_bytes=100), FastResult(b"x" * 40, 8, 5, 0.1, {})
    first, second = results.put(small), results.put(small)
    assert results.get(first) is small
    third = results.put(small)
    with pytest.raises(NotFound, match="paint it again"):
        results.get(second)
    assert results.get(first) is results.get(third) is small
    large = results.put(replace(small, data=b"x" * 1000))
    assert len(results.get(large).data) == 1000
    with pytest.raises(NotFound):
        results.get(third)


def test_refine_chooses_the_picture_and_its_result(service: Service) -> None:
    imported(service, "waves")
    wanted = painted(service, waves=1.0)
    found = refinement(service, wanted)
    choices, options = found.choices, found.options
    assert choices["content"] == wanted["photo"]
    assert service.pictures.read(choices["init"]["ref"]) == picture(colour="red")
    assert choices["style"] is False, "its painting is not at hand: the chooser is emptied"
    assert filled(options, choices)["choices"]["style"] is False
    assert options == replace(StyleOptions(init="image"), epochs=options.epochs)
    assert "paints at 512 px, whatever the size of the result. Choose the painting of its style" in found.note


@pytest.mark.parametrize(("height", "width"), [(768, 1024), (512, 512), (4000, 100), (225, 300), (16, 16)])
def test_a_refinement_costs_at_most_what_a_run_with_the_defaults_does(height: int, width: int) -> None:
    options, defaults = refining_options(height, width), StyleOptions()
    longer = replace(options, epochs=int(options.epochs) + 1)
    costs = [cost(schedule(height, width, each)) for each in (options, defaults, longer)]
    assert costs[0] <= costs[1] < costs[2]
    assert options.size == defaults.size


def test_refine_takes_a_result_of_more_bytes_than_an_upload_may_have(service: Service) -> None:
    noise = np.random.default_rng(0).random((3000, 3800, 3), np.float32)
    wanted = painted(service, waves=1.0)
    large = encode_png(noise)
    assert len(large) > MAX_BYTES
    wanted["key"] = service.result_cache.put(FastResult(large, 3800, 3000, 9.0, {"waves": 1.0}))
    kept = Image.open(io.BytesIO(service.pictures.read(refinement(service, wanted).choices["init"]["ref"])))
    assert (kept.format, kept.size) == ("JPEG", (3800, 3000))


def test_refine_chooses_the_painting_of_each_style_where_it_is_at_hand(service: Service) -> None:
    sample, file = STYLES[2], style_file("mine", "copied", "waves")
    mine = replace(file.styles["mine"], provenance={"learned_from": sample.name})
    copied = replace(file.styles["copied"], provenance={"picture": "0" * 64})
    service.library.add(replace(file, styles={**file.styles, "mine": mine, "copied": copied}).to_bytes())
    ref = service.pictures.keep(picture(96, 72), "garden.png")
    sampled = {"ref": f"samples/{sample.name}", "title": sample.title}
    copy = style_source(service, "copied").choice
    assert copy
    assert copy["title"] == "The copied"
    assert service.pictures.read(copy["ref"]) == file.styles["copied"].picture
    assert style_source(service, "mine") == StyleSource("The mine", sampled)
    assert style_source(service, ref) == StyleSource("garden.png", {"ref": ref, "title": "garden.png"})
    assert style_source(service, "waves") == StyleSource("The waves")
    assert style_source(service, "gone").choice is None

    mix = {"mine": 0.3, "copied": 0.5, "waves": 0.2}
    found = refinement(service, painted(service, **mix))
    assert (found.choices["style"], found.choices["style2"]) == (copy, sampled)
    assert "style3" not in found.choices
    assert found.options.style_mix == (0.5, 0.3)
    assert "Its styles are chosen too, without The waves: add a painting for that, or press Start." in found.note
    whole = refinement(service, painted(service, copied=1.0))
    assert whole.note.endswith("Its style is chosen too: press Start.")
    assert whole.options.style_mix is None


def test_refine_takes_the_texture_of_a_style_and_says_that_it_is_one(service: Service) -> None:
    file = style_file("mine", "waves")
    mine = replace(file.styles["mine"], provenance={"learned_from": "a painting", "picture_kind": "texture"})
    service.library.add(replace(file, styles={**file.styles, "mine": mine}).to_bytes())
    found = refinement(service, painted(service, mine=1.0, waves=0.0))
    assert found.choices["style"]["title"] == "The mine"
    assert service.pictures.read(found.choices["style"]["ref"]) == mine.picture
    assert found.note.endswith(
        "Its style is chosen too: press Start. The style picture of The mine is a texture with the statistics of the "
        "painting; you may choose the painting itself in its place."
    )


def kept(service: Service, mix: dict[str, float], **options: Any) -> Run:
    """The run of a result in that mix that is kept."""
    hashes = {name.removeprefix("uploads/"): weight for name, weight in mix.items()}
    text = FastProvenance("1", "network", hashes, FastOptions(**options)).to_text()
    data = encode_png(np.full((48, 64, 3), 0.5, np.float32), text={"nst-fast": text})
    key = service.result_cache.put(FastResult(data, 64, 48, 0.25, mix))
    ref = service.pictures.keep(picture(colour="navy"), "boat.png")
    return keep_result(service, {"key": key, "photo": {"ref": ref, "title": "boat.png"}})


def test_a_kept_result_is_a_run_of_the_gallery_with_its_settings(service: Service) -> None:
    imported(service, "waves")
    ref = service.pictures.keep(picture(96, 72, "maroon"), "garden.png")
    run = kept(service, {"waves": 0.25, ref: 0.75}, strength=0.5)
    assert service.store.run(run.id) == run
    assert (run.state, run.width, run.height, run.has_result) == (State.FINISHED, 64, 48, True)
    assert run.names == {"content": "boat.png", "style": "garden.png", "style2": "The waves"}
    assert run.fast
    assert run.fast["options"]["strength"] == 0.5
    assert service.store.files.result(run.id).read_bytes().startswith(b"\x89PNG")
    with Image.open(service.store.files.frame(run.id, 0)) as frame:
        assert frame.size == (64, 48)
    assert instant_url(run) == (
        f"/instant?picture=uploads/{run.content}&style={ref}:75&style=waves:25&painting={ref}&strength=0.5"
    )
    assert facts(run) == ["one pass", "64 × 48 px", "0.25 s"]
    assert [found.id for found, _ in service.archive.find(fast=True)] == [run.id]
    service.archive.delete(run.id)
    assert service.archive.find(fast=True) == []


def test_a_kept_result_has_nothing_to_continue(service: Service) -> None:
    imported(service, "waves")
    run = kept(service, {"waves": 1.0})
    for change in (
        lambda: service.runs.resume(run.id, 10),
        lambda: service.runs.branch(run.id, 0, more=10),
        lambda: service.runs.steer(run.id, {"strength": 2.0}),
    ):
        with pytest.raises(Conflict, match="in one pass"):
            change()


def test_a_kept_result_survives_the_loss_of_the_database(tmp_path: Path) -> None:
    service = service_in(tmp_path / "lost")
    imported(service, "waves")
    run = kept(service, {"waves": 1.0})
    service.store.close()
    for path in (tmp_path / "lost").glob("studio.sqlite*"):
        path.unlink()
    repair(tmp_path / "lost")
    found = Store(tmp_path / "lost").run(run.id)
    assert (found.fast, found.width, found.has_result, found.state) == (run.fast, 64, True, State.FINISHED)
