"""The gallery without a browser: its grid of runs, for each client, and the actions of its buttons."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from dash import Patch, html, no_update
from fastapi.testclient import TestClient

from nst.errors import Conflict, Forbidden
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.grids import Grid
from nst.jobs.storage.store import Store
from nst.options.fast_options import FastOptions
from nst.options.picture_roles import STYLE_ROLES
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures.samples import STYLES
from nst.runs.events import Finished, Losses, Started
from nst.runs.humanize import GIGABYTE
from nst.runs.run import Run, State
from nst.web import ids
from nst.web.callbacks.compare import compared
from nst.web.callbacks.gallery import perform_action
from nst.web.components.run.history import relatives
from nst.web.components.run.run_queue import queue_entries
from nst.web.components.run_card import RunCard, facts
from nst.web.components.run_comparison import STILL_PAINTED, _caption, _facts, _pictures, run_comparison
from nst.web.components.run_grid import run_grid
from nst.web.components.settings_text import differing_settings, setting_of
from nst.web.components.urls import run_file, run_file_name
from nst.web.factory import create_app
from nst.web.middleware.clients import HEADER
from nst.web.service.service import Service
from tests.epochs import epoch_event
from tests.web.sites import picture, queue_of

ANN, BOB = "a" * 32, "b" * 32
ALL = {"words": "", "state": "", "favorite": False}
LOSSES = Losses(3.0, 1.0, 1.5, 0.5)
CARDS = 50


def service_in(folder: Path) -> Service:
    """A service whose queue was never started."""
    settings, store = Settings(data=folder), Store(folder)
    return Service(settings, store, Queue(settings, store), Archive(store, 2 * GIGABYTE))


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return service_in(tmp_path)


def queued(store: Store, name: str = "boat.jpg", **more: Any) -> Run:
    content, style = store.put_upload(picture(colour="teal"), name), store.put_upload(picture(colour="red"), "wave.png")
    return store.create(StyleOptions(epochs=2), content, style, **more)


def finished(store: Store, name: str = "boat.jpg", **more: Any) -> Run:
    run = queued(store, name, **more)
    store.append(
        run.id, Started(extractor="compact", note="", width=640, height=480, epochs=2, steps=20, precision="float32")
    )
    for epoch in range(3):
        store.append(
            run.id,
            epoch_event(epoch, losses=LOSSES, width=640, height=480, image=picture(format="JPEG")),
        )
    store.append(run.id, Finished(seconds=65.0, image=picture()))
    return store.run(run.id)


def run_ids(shown: dict[str, Any]) -> list[str]:
    return [version[0] for version in shown["versions"]]


def test_an_empty_gallery_says_that_there_are_no_runs_yet(service: Service) -> None:
    shown = run_grid(service, "", ALL, CARDS, [])
    assert (shown["none_yet"], shown["none_found"], shown["no_more"], shown["found"]) == (False, True, True, "")


def test_a_search_without_matches_says_so(service: Service) -> None:
    queued(service.store)
    shown = run_grid(service, "", {**ALL, "words": "lighthouse"}, CARDS, [])
    assert (shown["none_yet"], shown["none_found"], shown["versions"]) == (True, False, [])


def test_the_newest_runs_come_first_and_more_appends_older_ones(service: Service) -> None:
    runs = [queued(service.store).id for _ in range(5)][::-1]
    first = run_grid(service, "", ALL, 2, [])
    assert run_ids(first) == runs[:2]
    assert not first["no_more"]
    assert first["found"] == "The newest 2 runs"
    more = run_grid(service, "", ALL, 4, first["versions"])
    operations = more["grid"].to_plotly_json()["operations"]
    assert {each["operation"] for each in operations} == {"Append"}
    assert [each["params"]["value"].id for each in operations] == [f"card-{run}" for run in runs[2:4]]
    assert run_grid(service, "", ALL, 6, more["versions"])["no_more"]


def test_only_cards_that_changed_are_sent_again(service: Service) -> None:
    first, second = queued(service.store), queued(service.store)
    shown = run_grid(service, "", ALL, CARDS, [])
    assert run_grid(service, "", ALL, CARDS, shown["versions"])["grid"] is no_update
    service.archive.annotate(first.id, favorite=True)
    changed = run_grid(service, "", ALL, CARDS, shown["versions"])
    assert isinstance(changed["grid"], Patch)
    assert [each["location"] for each in changed["grid"].to_plotly_json()["operations"]] == [[1]]
    perform_action(service, "", "like", second.id)
    assert run_grid(service, "", ALL, CARDS, changed["versions"])["versions"][0][2]


def test_the_whole_grid_is_sent_when_a_run_was_added_or_removed(service: Service) -> None:
    old = finished(service.store)
    shown = run_grid(service, "", ALL, CARDS, [])
    new = queued(service.store)
    shown = run_grid(service, "", ALL, CARDS, shown["versions"])
    assert [card.id for card in shown["grid"]] == [f"card-{new.id}", f"card-{old.id}"]
    perform_action(service, "", "delete", old.id)
    shown = run_grid(service, "", ALL, CARDS, shown["versions"])
    assert [card.id for card in shown["grid"]] == [f"card-{new.id}"]
    perform_action(service, "", "restore", old.id)
    assert run_ids(run_grid(service, "", ALL, CARDS, shown["versions"])) == [new.id, old.id]


def test_a_queued_run_is_not_deleted(service: Service) -> None:
    with pytest.raises(Conflict, match="stop it first"):
        perform_action(service, "", "delete", queued(service.store).id)


def test_disk_use_is_shown_in_gigabytes(service: Service) -> None:
    finished(service.store)
    shown = run_grid(service, "", ALL, CARDS, [])
    assert int(shown["used"]) > 0
    assert float(shown["used_max"]) == 2 * GIGABYTE
    assert shown["used_text"] == "0.00 of 2 GB on disk"


def test_a_client_sees_and_changes_only_its_own_runs(service: Service) -> None:
    anns, bobs = finished(service.store, client=ANN), finished(service.store, client=BOB)
    assert run_ids(run_grid(service, ANN, ALL, CARDS, [])) == [anns.id]
    assert run_ids(run_grid(service, BOB, ALL, CARDS, [])) == [bobs.id]
    for what in ("like", "unlike", "delete"):
        with pytest.raises(Forbidden):
            perform_action(service, BOB, what, anns.id)
    perform_action(service, ANN, "delete", anns.id)
    with pytest.raises(Forbidden):
        perform_action(service, BOB, "restore", anns.id)
    assert run_ids(run_grid(service, ANN, ALL, CARDS, [])) == []
    perform_action(service, ANN, "restore", anns.id)
    assert run_ids(run_grid(service, ANN, ALL, CARDS, [])) == [anns.id]


def test_a_card_keeps_the_name_that_its_client_gave_a_picture(service: Service) -> None:
    pictures, options = service.pictures, StyleOptions(epochs=2)
    refs = pictures.keep(picture(colour="teal"), "boat.jpg"), pictures.keep(picture(colour="red"), "wave.png")
    pictures.keep(picture(colour="teal"), "private.jpg")  # another client, before the run is started
    run = service.runs.start(options, *refs, names={"content": "boat.jpg", "style": "wave.png"}, client=ANN)
    pictures.keep(picture(colour="red"), "secret.jpg")  # and after that
    assert RunCard.of(service, run).title == "boat after wave"
    assert [found.id for found, _ in service.archive.find(ANN, "BOAT wave")] == [run.id]
    assert not service.archive.find(ANN, "secret")


def test_a_run_of_an_older_version_has_the_names_of_its_uploads(service: Service) -> None:
    run = queued(service.store)
    with service.store.database.transaction() as connection:
        connection.execute("UPDATE runs SET run = json_remove(run, '$.names')")
    assert RunCard.of(service, service.store.run(run.id)).title == "boat after wave"
    assert [found.id for found, _ in service.archive.find(words="boat")] == [run.id]


def test_a_branch_has_the_names_of_its_parent(service: Service) -> None:
    parent = finished(service.store)
    service.pictures.keep(picture(colour="teal"), "private.jpg")
    child = service.store.branch(parent, 1, parent.options)
    assert RunCard.of(service, child).title == "boat after wave"


def test_a_client_does_not_branch_from_the_run_of_another_on_the_page(tmp_path: Path) -> None:
    settings, store = Settings(data=tmp_path, many=True), Store(tmp_path)
    run = finished(store, client=ANN)
    client = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost")
    values = {ids.BRANCH: 1, ids.URL: f"?run={run.id}", ids.SCRUBBER: "1", ids.TO_EPOCH: "2", ids.STEER_MOVED: {}}
    callbacks = client.get("/_dash-dependencies").json()
    output = next(each["output"] for each in callbacks if each["inputs"][0]["id"] == ids.BRANCH)
    call(client, {HEADER: BOB}, output, values)
    assert store.children(run) == store.runs()[1:] == []
    call(client, {HEADER: ANN}, output, values)
    assert len(store.children(run)) == 1
    store.close()


def test_a_client_neither_changes_the_run_of_another_nor_starts_variations_of_it_on_the_page(tmp_path: Path) -> None:
    settings, store = Settings(data=tmp_path, many=True), Store(tmp_path)
    waiting, done = queued(store, client=ANN), finished(store, client=ANN)
    client = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost")
    callbacks = client.get("/_dash-dependencies").json()

    def press(button: str, run: Run, who: str) -> None:
        outputs = next(each["output"] for each in callbacks if each["inputs"][0]["id"] == button)
        call(client, {HEADER: who}, outputs.strip(".").partition("...")[0], {button: 1, ids.URL: f"?run={run.id}"})

    def grids() -> list[Grid]:
        return client.app.state.service.variations.newest()  # type: ignore[attr-defined]

    press(ids.PAUSE, waiting, BOB)
    press(ids.RECONSTRUCT_CONTENT, done, BOB)
    assert store.run(waiting.id).state is State.QUEUED
    assert grids() == []
    press(ids.PAUSE, waiting, ANN)
    press(ids.RECONSTRUCT_CONTENT, done, ANN)
    assert store.run(waiting.id).state is State.PAUSED
    assert [grid.client for grid in grids()] == [ANN]
    store.close()


def test_callbacks_of_a_shared_studio_know_the_client(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, many=True)
    store = Store(tmp_path)
    anns, bobs = queued(store, client=ANN), queued(store, client=BOB)
    client = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost")
    for who, run in ((ANN, anns), (BOB, bobs)):
        headers = {HEADER: who}
        shown = call(client, headers, "looked.data", {"look": 1, "of-state": "any", "of-favourites": False, "hung": []})
        assert [version[0] for version in shown["hung"]["data"]] == [run.id]
    answer = call(client, {HEADER: ANN}, "granted.data", {"wish": {"do": "like", "run": bobs.id, "n": 1}})
    assert answer["granted"]["data"]["failed"]
    store.close()


def test_the_gallery_can_be_the_first_page_that_is_requested(tmp_path: Path) -> None:
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    site = create_app(settings, store, queue_of(settings, store))
    with TestClient(site, base_url="http://localhost") as client:
        page = client.get("/gallery").text
    assert all(f"/assets/{script}.js" in page for script in ("navigation", "gallery", "poll"))


def call(client: TestClient, headers: dict[str, str], output: str, values: dict[str, Any]) -> dict[str, Any]:
    """Call the callback with `output` for `values` of components, by their ids; returns its answer."""
    return whole_answer(client, headers, output, values)["response"]


def whole_answer(client: TestClient, headers: dict[str, str], output: str, values: dict[str, Any]) -> dict[str, Any]:
    """As `call`, with what the callback sets beside its outputs, such as messages."""
    found = client.get("/_dash-dependencies", headers=headers).json()
    callback = next(each for each in found if output in (each["output"], *each["output"].strip(".").split("...")))
    places = [each.rpartition(".")[::2] for each in callback["output"].strip(".").split("...")]
    outputs = [{"id": name, "property": what} for name, what in places]
    inputs, state = (
        [{**each, "value": values.get(each["id"])} for each in callback[key]] for key in ("inputs", "state")
    )
    changed = [f"{each['id']}.{each['property']}" for each in inputs]
    body = {"output": callback["output"], "inputs": inputs, "state": state, "changedPropIds": changed}
    many = callback["output"].startswith("..")
    answer = client.post(
        "/_dash-update-component", json={**body, "outputs": outputs if many else outputs[0]}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_card_names_both_pictures_and_a_sample_by_its_title(service: Service) -> None:
    content = service.store.put_upload(picture(colour="teal"), "old.bridge.jpeg")
    style = service.store.put_upload(picture(colour="red"), f"samples/{STYLES[0].name}")
    run = service.store.create(StyleOptions(), content, style)
    card = RunCard.of(service, run)
    assert card.title == f"old.bridge after {STYLES[0].title}"
    assert card.pictures["style"]["ref"] == f"samples/{STYLES[0].name}"


def test_a_card_shows_what_is_known_of_a_run(service: Service) -> None:
    run = queued(service.store)
    assert facts(run) == ["2 epochs", "512 px"]
    assert run_file(run) == ""
    service.store.append(
        run.id, Started(extractor="compact", note="", width=640, height=480, epochs=2, steps=20, precision="float32")
    )
    service.store.append(
        run.id,
        epoch_event(
            0, losses=LOSSES, width=640, height=480, seconds=0.0, seconds_left=2.0, image=picture(format="JPEG")
        ),
    )
    run = service.store.run(run.id)
    assert facts(run) == ["epoch 0 of 2", "640 × 480 px", "Built-in network"]
    assert run_file(run) == "frames/0.jpg"
    run = finished(service.store)
    assert facts(run) == ["2 epochs", "640 × 480 px", "Built-in network", "1 min 05 s"]
    assert "masked" in facts(dataclasses.replace(run, mask=run.content))
    assert run_file(run) == "result.png"


def test_the_cards_of_a_branch_and_its_parent_link_to_each_other(service: Service) -> None:
    parent = finished(service.store)
    child = service.store.branch(parent, 1, parent.options, epochs=2)
    links = {each.href for each in _components(RunCard.of(service, child).component()) if hasattr(each, "href")}
    assert f"/?run={parent.id}" in links
    links = {each.href for each in _components(RunCard.of(service, parent).component()) if hasattr(each, "href")}
    assert f"/?run={child.id}" in links


def texts(tree: Any) -> str:
    """All text of components, one after the other."""
    if isinstance(tree, list | tuple):
        return " ".join(filter(None, map(texts, tree)))
    return tree if isinstance(tree, str) else texts(getattr(tree, "children", None) or [])


def test_a_card_shows_the_name_of_its_run_and_its_relatives(service: Service) -> None:
    parent = finished(service.store)
    child = service.store.branch(parent, 1, parent.options, epochs=2)
    service.archive.annotate(parent.id, name="The bridge", notes="for the kitchen")
    card = RunCard.of(service, parent)
    shown = texts(card.component())
    assert card.title == "The bridge"
    assert "boat after wave" in shown
    assert "for the kitchen" in shown
    assert "The bridge" in texts(RunCard.of(service, child).component())
    perform_action(service, "", "delete", parent.id)
    assert RunCard.of(service, child).relatives == {parent.id: "a deleted run"}


def test_runs_of_the_same_pictures_show_the_settings_in_which_they_differ(service: Service) -> None:
    store = service.store
    content, style = (
        store.put_upload(picture(colour="teal"), "boat.jpg"),
        store.put_upload(picture(colour="red"), "wave.png"),
    )
    bold, subtle = (store.create(StyleOptions(strength=strength), content, style) for strength in (2.0, 0.5))
    longer = store.create(StyleOptions(epochs=9, keep_colors=True), content, style)
    other = store.create(StyleOptions(strength=7.0), style, content)
    found = differing_settings([bold, subtle, longer, other])
    assert found[bold.id] == {"epochs": "Epochs 40", "strength": "Strength 2", "keep_colors": "Keep colors no"}
    assert [*found[longer.id].values()] == ["Epochs 9", "Strength 1", "Keep colors yes"]
    assert found[other.id] == {}
    assert "Strength 2 · Keep colors no" in texts(RunCard.of(service, bold, found[bold.id]).component())


def test_runs_of_the_same_pictures_with_a_mask_and_without_differ_and_those_of_other_paintings_do_not(
    service: Service,
) -> None:
    content, style = (service.store.put_upload(picture(colour=colour), "a.png") for colour in ("teal", "red"))
    masked = service.store.create(StyleOptions(mask_use="strength"), content, style, mask=style)
    other = service.store.create(StyleOptions(mask_use="strength"), content, style, mask=content)
    plain = service.store.create(StyleOptions(), content, style)
    mixed = service.store.create(StyleOptions(style_mix="1,3", strength=2), content, style, more_styles=[content])
    found = differing_settings([masked, other, plain, mixed])
    use = "Mask use Gray is the strength of the style"
    assert [*found[masked.id].values()] == ["mask 1", use]
    assert [*found[other.id].values()] == ["mask 2", use]
    assert [*found[plain.id].values()] == ["no mask"]
    assert found[mixed.id] == {}  # its title names its paintings


def test_settings_of_a_mix_are_left_out_for_a_run_without(service: Service) -> None:
    run = queued(service.store)
    mixed = dataclasses.replace(run, options=StyleOptions(style_mix="1,3"), more_styles=(run.content,))
    option = StyleOptions.option("style_mix")
    assert (setting_of(run, option), setting_of(mixed, option)) == ("", "1,3")


def test_titles_of_runs_of_the_same_pictures_say_what_differs(service: Service) -> None:
    parent = finished(service.store)
    bold = service.store.branch(parent, 1, StyleOptions(epochs=2, strength=2), epochs=2)
    masked = queued(service.store, mask=parent.content)
    children = [service.store.branch(parent, epoch, parent.options, epochs=2) for epoch in (0, 1)]
    assert relatives(service, parent) == {
        bold.id: "boat after wave (from epoch 1, Strength 2)",
        children[0].id: "boat after wave (Strength 1)",
        children[1].id: "boat after wave (from epoch 1, Strength 1)",
    }
    assert relatives(service, bold) == {parent.id: "boat after wave (Strength 1)"}
    queue = {entry.card.run.id: entry.title for entry in queue_entries(service, "")}
    assert queue[masked.id] == "boat after wave (masked, Strength 1)"
    assert queue[children[0].id] == "boat after wave (no mask, Strength 1)"
    cards = RunCard.of(service, parent), RunCard.of(service, masked, {"mask": "masked"})
    captions = [texts(_caption(card)) for card in cards]
    assert captions[0].startswith("boat after wave  2 epochs")
    assert captions[1].startswith("boat after wave (masked)")
    assert [caption.endswith(STILL_PAINTED) for caption in captions] == [False, True]


def test_runs_with_another_mask_or_another_start_are_not_the_same(service: Service) -> None:
    run = finished(service.store)
    masks = [service.store.put_upload(picture(colour=colour), "mask.png") for colour in ("white", "black")]
    runs = [run, *(dataclasses.replace(run, mask=mask) for mask in masks), dataclasses.replace(run, init=masks[0])]
    plain, white, black, started = (RunCard.of(service, each) for each in runs)
    assert _pictures(plain, white) == [("Mask", "", "mask.png")]
    assert _pictures(white, black) == [("Mask", "mask.png", "mask.png (another picture)")]
    assert _pictures(plain, started) == [("Start from", "", "mask.png")]
    assert _pictures(white, white) == []
    assert "Mask" in texts(run_comparison(plain, white, side_by_side=False))


def test_two_runs_are_compared_by_what_differs_alone(service: Service) -> None:
    first, second = finished(service.store), finished(service.store, "castle.jpg")
    address = f"?a={first.id}&b={second.id}"
    tree = html.Div(compared(service, address))
    table = texts(next(each for each in _components(tree) if isinstance(each, html.Table)))
    assert table.split("Second ")[1] == "Content boat.jpg castle.jpg"
    sources = [each.src for each in _components(tree) if isinstance(each, html.Img)]
    assert [source.partition("?")[0] for source in sources] == [
        f"/api/v1/runs/{run.id}/result.png" for run in (second, first)
    ]
    side = _components(html.Div(compared(service, address + "&view=side")))
    figures = [each for each in side if isinstance(each, html.Figure)]
    assert len({getattr(each, "data-link") for each in figures}) == 1
    assert [getattr(each, "data-link").count(first.id) for each in figures] == [1, 1]
    same = texts(compared(service, f"?a={first.id}&b={first.id}"))
    assert "Both have the same pictures and settings." in same


@pytest.mark.parametrize("first_has_more", [True, False])
def test_runs_with_other_numbers_of_paintings_are_compared(service: Service, first_has_more: bool) -> None:
    one, two = finished(service.store), finished(service.store)
    second = service.store.put_upload(b"painting", "waves.png")
    runs = [dataclasses.replace(service.store.run(two.id), more_styles=(second,)), service.store.run(one.id)]
    cards = [RunCard.of(service, run) for run in (runs if first_has_more else runs[::-1])]
    (row,) = [each for each in _pictures(*cards) if "waves.png" in each]
    assert row[1:] == (("waves.png", "") if first_has_more else ("", "waves.png"))


def in_one_pass(run: Run, mix: dict[str, float], **options: Any) -> Run:
    names = dict(zip(("content", *STYLE_ROLES), ("owl.jpg", *mix), strict=False))
    fast = {"mix": mix, "options": FastOptions(**options).to_json()}
    return dataclasses.replace(run, fast=fast, names=names, seconds=0.74, options=StyleOptions())


def test_a_picture_painted_in_one_pass_is_compared_by_its_own_settings(service: Service) -> None:
    own = dataclasses.replace(finished(service.store), options=StyleOptions(epochs=4, strength=3.0))
    fast = in_one_pass(finished(service.store), {"Tahiti": 0.75, "Great wave": 0.25}, strength=0.5, size=640)
    cards = [RunCard.of(service, run) for run in (own, fast)]
    rows = {name: values for name, *values in _facts(*cards)}
    assert rows["Strength"] == ["3", "0.5"]
    assert rows["Shares"] == ["", "Tahiti 75%, Great wave 25%"]
    assert rows["Stroke size"] == ["", "1"]
    assert rows["Epochs"] == ["4", ""]
    assert rows["Size"] == ["512 px", "640 px"]  # that of the run is the default
    assert rows["Epochs painted"][1] == ""
    captions = texts(html.Div(run_comparison(*cards, side_by_side=False)))
    assert "one pass, 0.74 s" in captions
    assert run_file_name(fast, "result.png") == "owl-tahiti-great-wave.png"


@pytest.mark.parametrize(
    ("search", "advice"), [("", "press Compare on two runs"), ("?a=nowhere&b=nothing", "There is no run 'nowhere'")]
)
def test_a_comparison_without_runs_says_how_to_choose_them(service: Service, search: str, advice: str) -> None:
    assert advice in texts(compared(service, search))


def test_a_comparison_of_one_run_alone_says_so(service: Service) -> None:
    run = finished(service.store)
    for search in (f"?a={run.id}", f"?b={run.id}"):
        assert "Only one run is chosen." in texts(compared(service, search))


def test_a_run_without_a_picture_is_not_compared(service: Service) -> None:
    first, second = finished(service.store), queued(service.store)
    assert "has no picture yet" in texts(compared(service, f"?a={first.id}&b={second.id}"))


def _components(tree: Any) -> list[Any]:
    return [each for each in tree._traverse() if not isinstance(each, str)]
