"""Where several people share a studio, the hash of a picture does not give another client the picture."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nst.jobs.storage.store import Store
from nst.options.fast_options import FastOptions
from nst.options.picture_roles import ROLES
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png, read
from nst.pictures.provenance import FastProvenance, Provenance
from nst.pictures.samples import SIDES, STYLES
from nst.runs.events import Finished, Losses, Started
from nst.web import ids, instant_ids
from nst.web.components.form.option_fields import BOXES, fill_form
from nst.web.factory import create_app
from nst.web.middleware.clients import HEADER
from nst.web.service.fast_styles import FastResult
from tests.epochs import epoch_event
from tests.web.fake_runner import warm_up
from tests.web.sites import picture, queue_of
from tests.web.test_api import assert_error, body, encoded
from tests.web.test_gallery_page import whole_answer
from tests.web.test_instant_page import AS_THEY_ARE

ANN, BOB = {HEADER: "a" * 32}, {HEADER: "b" * 32}
SAMPLE = f"samples/{STYLES[0].name}"
PRIVATE = picture(80, 64, "gold")  # Ann's
REF = f"uploads/{hashlib.sha256(PRIVATE).hexdigest()}"


def site_of(folder: Path, many: bool = True) -> Iterator[TestClient]:
    """A studio whose queue was never started, but knows a worker's hardware, where Ann has sent a picture."""
    settings, store = Settings(data=folder, many=many), Store(folder)
    queue = queue_of(settings, store)
    queue.pool._info = warm_up()
    client = TestClient(create_app(settings, store, queue), base_url="http://localhost")
    assert upload(client, ANN)["ref"] == REF
    yield client
    store.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TestClient]:
    yield from site_of(tmp_path)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[TestClient]:
    """The same studio, not shared."""
    yield from site_of(tmp_path, many=False)


def upload(client: TestClient, who: dict[str, str], data: bytes = PRIVATE, name: str = "passport.png") -> Any:
    answer = client.post("/api/v1/uploads", files={"file": (name, data, "image/png")}, headers=who)
    assert answer.status_code == 201, answer.text
    return answer.json()


def store_of(client: TestClient) -> Store:
    return client.app.state.service.store  # type: ignore[attr-defined]


def chosen(**refs: str) -> dict[str, Any]:
    """What the choosers of the page hold, by the ids of their stores."""
    return {ids.choice(role): {"ref": refs[role], "title": role} if role in refs else None for role in ROLES}


FORM = {BOXES[name]: value for name, value in fill_form(StyleOptions(epochs=2, size=64)).items()}


def rest_answers(client: TestClient, who: dict[str, str]) -> dict[str, int]:
    """The status of each request over REST that names the picture by its hash."""
    both = ({"content": REF, "style": SAMPLE}, {"content": SAMPLE, "style": REF})
    grids = [
        *both,
        {"content": encoded(picture(80, 64)), "style": SAMPLE, "mask": REF, "options": {"mask_use": "strength"}},
    ]
    grids.append({"content": SAMPLE, "style": SAMPLE, "init": REF, "options": {"init": "image"}})
    statuses = {f"GET {path}": client.get(path, headers=who).status_code for path in (
        f"/api/v1/{REF}.jpg", f"/api/v1/{REF}.jpg?side={SIDES[1]}", f"/api/v1/instant/{REF}.jpg")}  # fmt: skip
    for n, given in enumerate(both):
        statuses[f"estimate {n}"] = client.post("/api/v1/estimate", json=given, headers=who).status_code
        statuses[f"fast {n}"] = client.post("/api/v1/stylize/fast", json=given, headers=who).status_code
    mix = {"content": SAMPLE, "style": {REF: 1, SAMPLE: 2}}
    statuses["fast mix"] = client.post("/api/v1/stylize/fast", json=mix, headers=who).status_code
    for n, given in enumerate(grids):
        request = {**given, "vary": {"strength": [1, 2]}}
        statuses[f"variations {n}"] = client.post("/api/v1/variations", json=request, headers=who).status_code
    return statuses


def page_answers(client: TestClient, who: dict[str, str]) -> dict[str, str]:
    """What each callback of the page that takes a reference answers, as text."""
    service = client.app.state.service  # type: ignore[attr-defined]
    asked = {
        "n": 1,
        "page": "p",
        "key": "k",
        "ref": REF,
        "title": "t",
        "styles": [STYLES[0].name],
        "values": AS_THEY_ARE,
    }
    photo = {"ref": SAMPLE, "title": "t"}
    given = {**chosen(content=REF, style=SAMPLE), **FORM}
    more = {**given, ids.choice("content"): {**photo, "more": [{"ref": REF, "title": "t"}]}}
    settings = {
        "ref": upload(client, who, result_of_the_picture(), "result.png")["ref"],
        "title": "r",
        "dropped": False,
    }
    kept = service.result_cache.put(fast_result())
    found = {
        "start": whole_answer(client, who, f"{ids.URL}.search", {**given, ids.START_REQUEST: {"restart": False}}),
        "batch": whole_answer(client, who, f"{ids.URL}.search", {**more, ids.START_REQUEST: {"restart": False}}),
        "vary": whole_answer(client, who, f"{ids.VARY_SUMMARY}.children", {
            **given, ids.VARY_CHECK: 1, ids.axis(0, "option"): "strength", ids.axis(0, "values"): "1, 2",
            ids.axis(1, "option"): "none", ids.axis(1, "values"): ""}),
        "settings": whole_answer(client, who, f"{ids.SETTINGS_MESSAGE}.children", {ids.SETTINGS_FILE: settings}),
        "previews": whole_answer(client, who, f"{instant_ids.PREVIEWS}.data", {instant_ids.PREVIEWS_REQUEST: asked}),
        "result": whole_answer(client, who, f"{instant_ids.RESULT_ANSWER}.data", {
            instant_ids.RESULT_REQUEST: {**asked, "mix": "starry-night"}}),
        "painting": whole_answer(client, who, f"{instant_ids.RESULT_ANSWER}.data", {
            instant_ids.RESULT_REQUEST: {**asked, "ref": SAMPLE, "mix": {REF: 1}}}),
        "keep": whole_answer(client, who, f"{instant_ids.KEPT_RESULT}.data", {
            instant_ids.KEEP_RESULT: 1, instant_ids.SHOWN_RESULT: {"key": kept, "photo": {"ref": REF, "title": "t"}}}),
    }  # fmt: skip
    return {name: str(answer) for name, answer in found.items()}


def result_of_the_picture() -> bytes:
    """A result that says that Ann's picture is its content, as she may give one away."""
    said = Provenance("0", {}, "compact", "float32", StyleOptions(), (), 2, REF.partition("/")[2], "0" * 64)
    return encode_png(read(picture(), "result").rgb, text={"nst": said.to_text()})


def fast_result() -> FastResult:
    mix = {"starry-night": 1.0}
    text = FastProvenance("1", "network", mix, FastOptions()).to_text()
    return FastResult(encode_png(read(picture(), "result").rgb, text={"nst-fast": text}), 64, 48, 0.25, mix)


def test_a_picture_is_found_over_rest_by_the_client_that_sent_it_alone(site: TestClient) -> None:
    own, others = rest_answers(site, ANN), rest_answers(site, BOB)
    assert set(own.values()) == {200, 202, 503}, own  # 503: there is no worker
    assert set(others.values()) == {404}, others
    unknown = f"uploads/{'0' * 64}"
    answers = [site.get(f"/api/v1/{ref}.jpg", headers=BOB) for ref in (REF, unknown)]
    words = {answer.json()["error"]["message"].replace(answer.url.path[-68:-4], "") for answer in answers}
    assert words == {"there is no upload '' of yours"}  # whether there is such a picture is not told


def test_a_picture_is_taken_on_the_page_by_the_client_that_sent_it_alone(site: TestClient) -> None:
    own, others = page_answers(site, ANN), page_answers(site, BOB)
    no_picture = "there is no upload"
    assert [name for name, text in own.items() if no_picture in text.lower()] == []
    assert [name for name, text in others.items() if no_picture not in text.lower()] == ["settings"]
    assert "passport.png" in own["settings"]
    assert "passport.png" not in others["settings"]
    assert REF not in others["settings"]
    runs = site.get("/api/v1/runs", headers=BOB).json()["runs"]
    assert [run["content"] for run in runs if REF.endswith(run["content"])] == []


def test_who_sends_the_same_picture_has_it_too_under_a_name_of_its_own(site: TestClient) -> None:
    upload(site, BOB, name="mine.png")
    assert 404 not in rest_answers(site, BOB).values()
    assert "mine.png" in page_answers(site, BOB)["settings"]
    assert "passport.png" in page_answers(site, ANN)["settings"]


def test_a_studio_that_is_not_shared_finds_every_picture_by_its_hash(alone: TestClient) -> None:
    assert 404 not in rest_answers(alone, {}).values()
    assert "no upload" not in str(page_answers(alone, {})).lower()


def painted(client: TestClient, who: dict[str, str], **changes: Any) -> str:
    """A run of a client, painted by nobody but recorded as finished."""
    answer = client.post("/api/v1/runs", json=body(**changes), headers=who)
    assert answer.status_code == 202, answer.text
    losses, store = Losses(3.0, 1.0, 1.5, 0.5), store_of(client)
    epochs = [epoch_event(n, step=n, losses=losses, image=picture(format="JPEG")) for n in range(3)]
    store.append(
        answer.json()["id"],
        Started(extractor="compact", note="", width=64, height=48, epochs=2, steps=2, precision="float32"),
        *epochs,
        Finished(seconds=2.0, image=picture()),
    )
    return answer.json()["id"]


def filled(client: TestClient, who: dict[str, str], query: str) -> dict[str, Any]:
    """What the page fills its form with for an address: the answers of the callbacks that read it."""
    found = client.get("/_dash-dependencies", headers=who).json()
    readers = [each["output"] for each in found if [given["id"] for given in each["inputs"]] == [ids.FORM_SOURCE]]
    answers = [whole_answer(client, who, output, {ids.FORM_SOURCE: query})["response"] for output in readers]
    return {name: value for answer in answers for name, value in answer.items()}


def test_a_client_goes_on_with_the_pictures_of_its_runs_and_with_results(site: TestClient) -> None:
    run = painted(site, ANN)
    content = store_of(site).run(run).content
    assert site.get(f"/api/v1/uploads/{content}.jpg", headers=ANN).status_code == 200
    for action, given in (("branch", {"epoch": 1}), ("upscale", {"size": 128}), ("continue", {"epochs": 1})):
        answer = site.post(f"/api/v1/runs/{run}/{action}", json=given, headers=ANN)
        assert answer.status_code == 202, answer.text
    for role in ("content", "style"):
        ref = filled(site, BOB, f"?{role}_of={run}")[ids.choice(role)]["data"]["ref"]
        answer = site.post("/api/v1/estimate", json={"content": ref, "style": ref}, headers=BOB)
        assert answer.status_code == 200, answer.text
        assert site.get(f"/api/v1/{ref}.jpg", headers=BOB).status_code == 200


def test_a_grid_of_variations_is_painted_large_by_its_client(site: TestClient) -> None:
    given = {"content": REF, "style": SAMPLE, "vary": {"strength": [1, 2]}}
    grid = site.post("/api/v1/variations", json=given, headers=ANN).json()
    path = f"/api/v1/variations/{grid['id']}/runs/{grid['runs'][0]['id']}/paint"
    assert site.post(path, headers=ANN).status_code == 202


def test_the_address_of_a_run_shows_its_content_and_lets_nobody_use_it(site: TestClient) -> None:
    run = painted(site, ANN, style=body()["content"])
    content = store_of(site).run(run).content
    assert site.get(f"/api/v1/instant/runs/{run}.jpg", headers=BOB).status_code == 200
    assert_error(site.get(f"/api/v1/instant/runs/{'0' * 32}.jpg", headers=BOB), 404, "not_found")
    assert site.get(f"/api/v1/instant/uploads/{content}.jpg", headers=BOB).status_code == 404
    for who, found in ((ANN, True), (BOB, False)):
        form = filled(site, who, f"?like={run}")
        assert (content in str(form)) == found
        assert form[BOXES["epochs"]]["value"] == "2"


def test_a_copy_of_a_sample_is_everyones(site: TestClient) -> None:
    grid = {"content": SAMPLE, "style": SAMPLE, "vary": {"strength": [1, 2]}}
    answer = site.post("/api/v1/variations", json=grid, headers=ANN)
    copy = store_of(site).run(answer.json()["runs"][0]["id"]).content
    for n in range(2):
        assert site.get(f"/api/v1/uploads/{copy}.jpg", headers=BOB).status_code == 200
        data = store_of(site).upload(copy)
        if not n:  # also once somebody has sent the same bytes
            upload(site, ANN, data, "private.png")
    assert store_of(site).names_of({"style": copy}, BOB[HEADER]) == {"style": SAMPLE}
