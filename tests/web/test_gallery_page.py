"""The gallery without a browser: what hangs on its wall, for whom, and what its buttons do."""

from pathlib import Path
from typing import Any

import pytest
from dash import Patch, no_update
from fastapi.testclient import TestClient

from nst.errors import Conflict, NotFound
from nst.events import Epoch, Finished, Losses, Started
from nst.jobs.archive import GIGABYTE, Archive
from nst.jobs.queue import Queue
from nst.jobs.run import Run
from nst.jobs.store import Store
from nst.options import StyleOptions
from nst.settings import Settings
from nst.web.cards import Card, facts, picture_file
from nst.web.clients import HEADER
from nst.web.desk import Desk
from nst.web.factory import create_app
from nst.web.gallery import STYLES, Gallery
from nst.web.shelf import PAGE, fulfil, wall
from tests.web.sites import picture, queue_of

ANN, BOB = "a" * 32, "b" * 32
ALL = {"words": "", "state": "", "favourite": False}
LOSSES = Losses(3.0, 1.0, 1.5, 0.5)


def desk_at(folder: Path) -> Desk:
    """A desk whose queue was never started."""
    settings, store = Settings(data=folder), Store(folder)
    return Desk(settings, store, Queue(settings, store), Gallery(folder), Archive(store, 2 * GIGABYTE))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_at(tmp_path)


def queued(store: Store, name: str = "boat.jpg", **more: Any) -> Run:
    content, style = store.put_upload(picture(colour="teal"), name), store.put_upload(picture(colour="red"), "wave.png")
    return store.create(StyleOptions(epochs=2), content, style, **more)


def finished(store: Store, name: str = "boat.jpg", **more: Any) -> Run:
    run = queued(store, name, **more)
    store.append(run.id, Started("compact", "", 640, 480, 2, 20, "float32"))
    for epoch in range(3):
        store.append(run.id, Epoch(epoch, 10 * epoch, LOSSES, 640, 480, 1.0, 10.0, 0.0, picture(format="JPEG")))
    store.append(run.id, Finished(65.0, picture()))
    return store.run(run.id)


def hung(shown: dict[str, Any]) -> list[str]:
    return [mark[0] for mark in shown["hung"]]


def test_an_empty_wall_says_that_nothing_was_painted_yet(desk: Desk) -> None:
    shown = wall(desk, "", ALL, PAGE, [])
    assert (shown["none_yet"], shown["none_found"], shown["no_more"], shown["found"]) == (False, True, True, "")


def test_a_search_without_a_find_says_so(desk: Desk) -> None:
    queued(desk.store)
    shown = wall(desk, "", {**ALL, "words": "lighthouse"}, PAGE, [])
    assert (shown["none_yet"], shown["none_found"], shown["hung"]) == (True, False, [])


def test_the_newest_hang_first_and_more_adds_the_older_ones_to_them(desk: Desk) -> None:
    runs = [queued(desk.store).id for _ in range(5)][::-1]
    first = wall(desk, "", ALL, 2, [])
    assert hung(first) == runs[:2]
    assert not first["no_more"]
    assert first["found"] == "The newest 2 runs"
    more = wall(desk, "", ALL, 4, first["hung"])
    operations = more["wall"].to_plotly_json()["operations"]
    assert {each["operation"] for each in operations} == {"Append"}
    assert [each["params"]["value"].id for each in operations] == [f"card-{run}" for run in runs[2:4]]
    assert wall(desk, "", ALL, 6, more["hung"])["no_more"]


def test_only_cards_that_have_changed_are_hung_again(desk: Desk) -> None:
    first, second = queued(desk.store), queued(desk.store)
    shown = wall(desk, "", ALL, PAGE, [])
    assert wall(desk, "", ALL, PAGE, shown["hung"])["wall"] is no_update
    desk.archive.like(first.id, True)
    changed = wall(desk, "", ALL, PAGE, shown["hung"])
    assert isinstance(changed["wall"], Patch)
    assert [each["location"] for each in changed["wall"].to_plotly_json()["operations"]] == [[1]]
    fulfil(desk, "", "like", second.id)
    assert wall(desk, "", ALL, PAGE, changed["hung"])["hung"][0][2]


def test_a_wall_on_which_a_run_has_come_or_gone_is_hung_anew(desk: Desk) -> None:
    old = finished(desk.store)
    shown = wall(desk, "", ALL, PAGE, [])
    new = queued(desk.store)
    shown = wall(desk, "", ALL, PAGE, shown["hung"])
    assert [card.id for card in shown["wall"]] == [f"card-{new.id}", f"card-{old.id}"]
    fulfil(desk, "", "delete", old.id)
    shown = wall(desk, "", ALL, PAGE, shown["hung"])
    assert [card.id for card in shown["wall"]] == [f"card-{new.id}"]
    fulfil(desk, "", "restore", old.id)
    assert hung(wall(desk, "", ALL, PAGE, shown["hung"])) == [new.id, old.id]


def test_a_run_that_is_being_painted_is_not_deleted(desk: Desk) -> None:
    with pytest.raises(Conflict, match="stop it first"):
        fulfil(desk, "", "delete", queued(desk.store).id)


def test_the_disk_is_told_in_gigabytes(desk: Desk) -> None:
    finished(desk.store)
    shown = wall(desk, "", ALL, PAGE, [])
    assert int(shown["used"]) > 0
    assert float(shown["used_max"]) == 2 * GIGABYTE
    assert shown["used_text"] == "0.00 of 2 GB on disk"


def test_a_client_sees_and_changes_runs_of_their_own_alone(desk: Desk) -> None:
    anns, bobs = finished(desk.store, client=ANN), finished(desk.store, client=BOB)
    assert hung(wall(desk, ANN, ALL, PAGE, [])) == [anns.id]
    assert hung(wall(desk, BOB, ALL, PAGE, [])) == [bobs.id]
    for what in ("like", "unlike", "delete"):
        with pytest.raises(NotFound):
            fulfil(desk, BOB, what, anns.id)
    fulfil(desk, ANN, "delete", anns.id)
    with pytest.raises(NotFound):
        fulfil(desk, BOB, "restore", anns.id)
    assert hung(wall(desk, ANN, ALL, PAGE, [])) == []
    fulfil(desk, ANN, "restore", anns.id)
    assert hung(wall(desk, ANN, ALL, PAGE, [])) == [anns.id]


def test_a_studio_of_many_asks_the_callbacks_for_the_client(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, many=True)
    store = Store(tmp_path)
    anns, bobs = queued(store, client=ANN), queued(store, client=BOB)
    client = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost")
    for who, run in ((ANN, anns), (BOB, bobs)):
        headers = {HEADER: who}
        shown = call(client, headers, "looked.data", {"look": 1, "of-state": "any", "of-favourites": False, "hung": []})
        assert [mark[0] for mark in shown["hung"]["data"]] == [run.id]
    granted = call(client, {HEADER: ANN}, "granted.data", {"wish": {"do": "like", "run": bobs.id, "n": 1}})
    assert granted["granted"]["data"]["failed"]
    store.close()


def test_the_first_page_that_is_asked_for_may_be_the_gallery(tmp_path: Path) -> None:
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    site = create_app(settings, store, queue_of(settings, store))
    with TestClient(site, base_url="http://localhost") as client:
        page = client.get("/gallery").text
    assert all(f"/assets/{script}.js" in page for script in ("rooms", "gallery", "poll"))


def call(client: TestClient, headers: dict[str, str], output: str, values: dict[str, Any]) -> dict[str, Any]:
    """What the callback with `output` answers to the `values` of components, by their ids."""
    found = client.get("/_dash-dependencies", headers=headers).json()
    callback = next(each for each in found if output in each["output"].strip(".").split("..."))
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
    return answer.json()["response"]


def test_a_card_names_both_pictures_and_a_sample_by_its_title(desk: Desk) -> None:
    content = desk.store.put_upload(picture(colour="teal"), "old.bridge.jpeg")
    style = desk.store.put_upload(picture(colour="red"), f"samples/{STYLES[0].name}")
    run = desk.store.create(StyleOptions(), content, style)
    card = Card.of(desk, run, False)
    assert card.title == f"old.bridge after {STYLES[0].title}"
    assert card.pictures["style"]["ref"] == f"samples/{STYLES[0].name}"


def test_a_card_tells_what_is_known_of_a_run(desk: Desk) -> None:
    run = queued(desk.store)
    assert facts(run) == ["2 epochs", "512 px"]
    assert picture_file(run) == ""
    desk.store.append(run.id, Started("compact", "", 640, 480, 2, 20, "float32"))
    desk.store.append(run.id, Epoch(0, 0, LOSSES, 640, 480, 0.0, 10.0, 2.0, picture(format="JPEG")))
    run = desk.store.run(run.id)
    assert facts(run) == ["epoch 0 of 2", "640 × 480 px", "compact"]
    assert picture_file(run) == "frames/0.jpg"
    run = finished(desk.store)
    assert facts(run) == ["2 epochs", "640 × 480 px", "compact", "1 min 05 s"]
    assert picture_file(run) == "result.png"


def test_a_branch_leads_to_its_parent_and_the_parent_to_its_branches(desk: Desk) -> None:
    parent = finished(desk.store)
    child = desk.store.branch(parent, 1, parent.options, epochs=2)
    links = {each.href for each in _components(Card.of(desk, child, False).component()) if hasattr(each, "href")}
    assert f"/?run={parent.id}" in links
    links = {each.href for each in _components(Card.of(desk, parent, False).component()) if hasattr(each, "href")}
    assert f"/?run={child.id}" in links


def _components(tree: Any) -> list[Any]:
    return [each for each in tree._traverse() if not isinstance(each, str)]
