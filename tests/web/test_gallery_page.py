"""The gallery without a browser: what hangs on its wall, for whom, and what its buttons do."""

from pathlib import Path
from typing import Any

import pytest
from dash import Patch, no_update
from fastapi.testclient import TestClient

from nst.errors import Conflict, NotFound
from nst.jobs.archive import GIGABYTE, Archive
from nst.jobs.queue import Queue
from nst.jobs.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures.samples import STYLES
from nst.runs.events import Epoch, Finished, Losses, Started
from nst.runs.run import Run
from nst.web.callbacks.gallery import PAGE, fulfil, wall
from nst.web.components.run_card import Card, facts, picture_file
from nst.web.factory import create_app
from nst.web.middleware.clients import HEADER
from nst.web.service.service import Service
from tests.web.sites import picture, queue_of

ANN, BOB = "a" * 32, "b" * 32
ALL = {"words": "", "state": "", "favourite": False}
LOSSES = Losses(3.0, 1.0, 1.5, 0.5)


def desk_at(folder: Path) -> Service:
    """A service whose queue was never started."""
    settings, store = Settings(data=folder), Store(folder)
    return Service(settings, store, Queue(settings, store), Archive(store, 2 * GIGABYTE))


@pytest.fixture
def service(tmp_path: Path) -> Service:
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


def test_an_empty_wall_says_that_nothing_was_painted_yet(service: Service) -> None:
    shown = wall(service, "", ALL, PAGE, [])
    assert (shown["none_yet"], shown["none_found"], shown["no_more"], shown["found"]) == (False, True, True, "")


def test_a_search_without_a_find_says_so(service: Service) -> None:
    queued(service.store)
    shown = wall(service, "", {**ALL, "words": "lighthouse"}, PAGE, [])
    assert (shown["none_yet"], shown["none_found"], shown["hung"]) == (True, False, [])


def test_the_newest_hang_first_and_more_adds_the_older_ones_to_them(service: Service) -> None:
    runs = [queued(service.store).id for _ in range(5)][::-1]
    first = wall(service, "", ALL, 2, [])
    assert hung(first) == runs[:2]
    assert not first["no_more"]
    assert first["found"] == "The newest 2 runs"
    more = wall(service, "", ALL, 4, first["hung"])
    operations = more["wall"].to_plotly_json()["operations"]
    assert {each["operation"] for each in operations} == {"Append"}
    assert [each["params"]["value"].id for each in operations] == [f"card-{run}" for run in runs[2:4]]
    assert wall(service, "", ALL, 6, more["hung"])["no_more"]


def test_only_cards_that_have_changed_are_hung_again(service: Service) -> None:
    first, second = queued(service.store), queued(service.store)
    shown = wall(service, "", ALL, PAGE, [])
    assert wall(service, "", ALL, PAGE, shown["hung"])["wall"] is no_update
    service.archive.like(first.id, True)
    changed = wall(service, "", ALL, PAGE, shown["hung"])
    assert isinstance(changed["wall"], Patch)
    assert [each["location"] for each in changed["wall"].to_plotly_json()["operations"]] == [[1]]
    fulfil(service, "", "like", second.id)
    assert wall(service, "", ALL, PAGE, changed["hung"])["hung"][0][2]


def test_a_wall_on_which_a_run_has_come_or_gone_is_hung_anew(service: Service) -> None:
    old = finished(service.store)
    shown = wall(service, "", ALL, PAGE, [])
    new = queued(service.store)
    shown = wall(service, "", ALL, PAGE, shown["hung"])
    assert [card.id for card in shown["wall"]] == [f"card-{new.id}", f"card-{old.id}"]
    fulfil(service, "", "delete", old.id)
    shown = wall(service, "", ALL, PAGE, shown["hung"])
    assert [card.id for card in shown["wall"]] == [f"card-{new.id}"]
    fulfil(service, "", "restore", old.id)
    assert hung(wall(service, "", ALL, PAGE, shown["hung"])) == [new.id, old.id]


def test_a_run_that_is_being_painted_is_not_deleted(service: Service) -> None:
    with pytest.raises(Conflict, match="stop it first"):
        fulfil(service, "", "delete", queued(service.store).id)


def test_the_disk_is_told_in_gigabytes(service: Service) -> None:
    finished(service.store)
    shown = wall(service, "", ALL, PAGE, [])
    assert int(shown["used"]) > 0
    assert float(shown["used_max"]) == 2 * GIGABYTE
    assert shown["used_text"] == "0.00 of 2 GB on disk"


def test_a_client_sees_and_changes_runs_of_their_own_alone(service: Service) -> None:
    anns, bobs = finished(service.store, client=ANN), finished(service.store, client=BOB)
    assert hung(wall(service, ANN, ALL, PAGE, [])) == [anns.id]
    assert hung(wall(service, BOB, ALL, PAGE, [])) == [bobs.id]
    for what in ("like", "unlike", "delete"):
        with pytest.raises(NotFound):
            fulfil(service, BOB, what, anns.id)
    fulfil(service, ANN, "delete", anns.id)
    with pytest.raises(NotFound):
        fulfil(service, BOB, "restore", anns.id)
    assert hung(wall(service, ANN, ALL, PAGE, [])) == []
    fulfil(service, ANN, "restore", anns.id)
    assert hung(wall(service, ANN, ALL, PAGE, [])) == [anns.id]


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


def test_a_card_names_both_pictures_and_a_sample_by_its_title(service: Service) -> None:
    content = service.store.put_upload(picture(colour="teal"), "old.bridge.jpeg")
    style = service.store.put_upload(picture(colour="red"), f"samples/{STYLES[0].name}")
    run = service.store.create(StyleOptions(), content, style)
    card = Card.of(service, run, False)
    assert card.title == f"old.bridge after {STYLES[0].title}"
    assert card.pictures["style"]["ref"] == f"samples/{STYLES[0].name}"


def test_a_card_tells_what_is_known_of_a_run(service: Service) -> None:
    run = queued(service.store)
    assert facts(run) == ["2 epochs", "512 px"]
    assert picture_file(run) == ""
    service.store.append(run.id, Started("compact", "", 640, 480, 2, 20, "float32"))
    service.store.append(run.id, Epoch(0, 0, LOSSES, 640, 480, 0.0, 10.0, 2.0, picture(format="JPEG")))
    run = service.store.run(run.id)
    assert facts(run) == ["epoch 0 of 2", "640 × 480 px", "compact"]
    assert picture_file(run) == "frames/0.jpg"
    run = finished(service.store)
    assert facts(run) == ["2 epochs", "640 × 480 px", "compact", "1 min 05 s"]
    assert picture_file(run) == "result.png"


def test_a_branch_leads_to_its_parent_and_the_parent_to_its_branches(service: Service) -> None:
    parent = finished(service.store)
    child = service.store.branch(parent, 1, parent.options, epochs=2)
    links = {each.href for each in _components(Card.of(service, child, False).component()) if hasattr(each, "href")}
    assert f"/?run={parent.id}" in links
    links = {each.href for each in _components(Card.of(service, parent, False).component()) if hasattr(each, "href")}
    assert f"/?run={child.id}" in links


def _components(tree: Any) -> list[Any]:
    return [each for each in tree._traverse() if not isinstance(each, str)]
