"""Fast styles over REST: pictures stylized in one pass; styles listed, added, renamed and removed."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image

from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.pictures.images import encode_png
from nst.styles.style_file import StyleFile
from nst.web.factory import create_app
from nst.web.middleware.clients import HEADER
from tests.jobs.runs import wait_until
from tests.styles.style_files import style_file
from tests.styles.test_style_file import HOSTILE
from tests.web.sites import picture, queue_of, served
from tests.web.test_api import assert_error, body, encoded, start

FAST = "/api/v1/styles/fast"
PAINT = "/api/v1/stylize/fast"


def bring(client: TestClient, data: bytes, **headers: str) -> Response:
    return client.post(FAST, files={"file": ("mine.style", data)}, headers=headers)


def listed(client: TestClient) -> dict[str, dict[str, Any]]:
    return {style["name"]: style for style in client.get("/api/v1/styles").json()["fast"]}


@pytest.fixture(scope="module")
def site(client: TestClient) -> TestClient:
    """A site whose worker is ready."""
    wait_until(lambda: client.app.state.service.queue.ready_count)
    return client


@pytest.fixture
def own(site: TestClient) -> Iterator[TestClient]:
    """The same with styles waves and dots of one network and cubes of another; removes what a test adds."""
    before = set(listed(site))
    assert bring(site, style_file("waves", "dots").to_bytes()).status_code == 201
    assert bring(site, style_file("cubes", seed=1).to_bytes()).status_code == 201
    yield site
    for name in set(listed(site)) - before:
        site.delete(f"{FAST}/{name}")


def shipped(client: TestClient) -> str:
    return next(name for name, style in listed(client).items() if style["shipped"])


def order(style: Any, **changes: Any) -> dict[str, Any]:
    return {"content": encoded(picture()), "style": style} | changes


def opened(answer: Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def test_a_picture_is_stylized(site: TestClient) -> None:
    name = shipped(site)
    answer = site.post(PAINT, json=order(name, options={"strength": 0.5}))
    assert (opened(answer).format, opened(answer).size) == ("PNG", (64, 48))
    assert answer.headers["content-type"] == "image/png"
    assert float(answer.headers["nst-seconds"]) > 0
    assert json.loads(opened(answer).text["nst-fast"])["options"]["strength"] == 0.5


def test_the_answer_is_json_where_accept_names_it(own: TestClient) -> None:
    request = order({"waves": 3, "dots": 1}, format="jpeg", options={"size": 96})
    answer = own.post(PAINT, json=request, headers={"Accept": "application/json"}).json()
    assert set(answer) == {"image", "width", "height", "seconds", "mix"}
    assert (answer["width"], answer["height"], answer["mix"]) == (96, 72, {"waves": 0.75, "dots": 0.25})
    assert Image.open(io.BytesIO(base64.b64decode(answer["image"]))).format == "JPEG"


def test_a_form_is_read_as_well(own: TestClient) -> None:
    files = {"content": ("a.jpg", picture(format="JPEG"))}
    for fields in (
        {"style": "waves", "keep_colors": "true", "size": "64"},
        {"style": '{"waves": 1, "dots": 2}', "options": '{"keep_colors": true, "size": 64}'},
    ):
        answer = own.post(PAINT, files=files, data={**fields, "format": "jpeg"})
        assert (opened(answer).format, opened(answer).size) == ("JPEG", (64, 48))
        assert answer.headers["content-type"] == "image/jpeg"


def test_a_style_whose_name_is_a_number_can_be_named_in_a_form(own: TestClient) -> None:
    bring(own, style_file("1905").to_bytes())
    assert opened(own.post(PAINT, files={"content": ("a.png", picture())}, data={"style": "1905"}))


def test_a_painting_is_the_style_as_base64_as_a_file_and_by_reference(own: TestClient) -> None:
    painting, name = picture(96, 72, "maroon"), shipped(own)
    answers = [
        own.post(PAINT, json=order(encoded(painting))),
        own.post(PAINT, json=order(f"data:image/png;base64,{encoded(painting)}")),
        own.post(PAINT, files={"content": ("a.png", picture()), "style": ("b.png", painting)}),
    ]
    first, *others = [opened(answer).tobytes() for answer in answers]
    assert others == [first, first]
    assert opened(own.post(PAINT, json=order("samples/great-swell"))).size == (64, 48)
    mix = own.post(
        PAINT, json=order({"samples/great-swell": 1, name: 1}), headers={"Accept": "application/json"}
    ).json()["mix"]
    assert mix == {"samples/great-swell": 0.5, name: 0.5}


@pytest.mark.parametrize(
    ("style", "status", "code", "words"),
    [
        (encoded(b"hello there, this is no picture but a text"), 415, "not_an_image", "a text file"),
        (encoded(picture(40, 40)), 422, "invalid", "at least 64 px"),
        (encoded(encode_png(np.full((80, 80, 3), 0.5, np.float32))), 422, "invalid", "more than one color"),
        ("samples/nowhere", 404, "not_found", "nowhere"),
        ({"samples/great-swell": 1, "waves": 1}, 422, "invalid", "'waves' is of another"),
    ],
)
def test_a_painting_that_cannot_be_a_style_is_refused_in_one_line(
    own: TestClient, style: Any, status: int, code: str, words: str
) -> None:
    assert_error(own.post(PAINT, json=order(style)), status, code, words, field="style")


def test_the_style_of_a_painting_is_added_under_a_name(own: TestClient) -> None:
    files = {"file": ("garden.png", picture(96, 72, "maroon"))}
    answer = own.post(FAST, files=files, data={"name": "garden", "title": "My garden"})
    assert answer.status_code == 201, answer.text
    [added] = answer.json()["fast"]
    assert (added["name"], added["title"], added["provenance"]["origin"]) == (
        "garden",
        "My garden",
        "predicted from a painting",
    )
    assert opened(own.post(PAINT, json=order("garden"))).size == (64, 48)
    assert_error(own.post(FAST, files=files, data={"name": "garden"}), 422, "invalid", "already")
    assert_error(own.post(FAST, files=files, data={"title": "x"}), 422, "invalid", "`name`", field="title")
    text = {"file": ("notes.txt", b"hello there")}
    assert_error(own.post(FAST, files=text, data={"name": "notes"}), 415, "not_an_image", "text file", field="file")


def test_a_result_is_kept_in_the_gallery_with_the_pictures_it_was_made_of(own: TestClient) -> None:
    files = {"content": ("boat.png", picture()), "style": ("garden.png", picture(96, 72, "maroon"))}
    answer = own.post(PAINT, files=files, data={"keep": "true", "strength": "0.5"})
    run = own.get(f"/api/v1/runs/{answer.headers['nst-run']}").json()
    assert (run["state"], run["width"], run["height"]) == ("finished", *opened(answer).size)
    assert run["names"] == {"content": "boat.png", "style": "garden.png"}
    assert run["fast"]["mix"] == {run["style"]: 1.0}
    assert own.get(f"/api/v1/runs/{run['id']}/result.png").content == answer.content

    request = order({"waves": 3, "dots": 1}, content=f"uploads/{run['content']}", keep=True)
    kept = own.post(PAINT, json=request, headers={"Accept": "application/json"}).json()
    assert kept["run"]["names"] == {"content": "boat.png", "style": "The waves", "style2": "The dots"}
    assert "nst-run" not in own.post(PAINT, json=order("waves")).headers


def test_the_style_of_a_stored_painting_is_exported(own: TestClient) -> None:
    ref = own.post("/api/v1/uploads", files={"file": ("my_garden.png", picture(96, 72, "maroon"))}).json()["ref"]
    answer = own.get(f"/api/v1/{ref}.style")
    assert answer.status_code == 200, answer.text
    assert 'filename="my-garden.style"' in answer.headers["content-disposition"]
    assert list(StyleFile.from_bytes(answer.content).styles) == ["my-garden"]
    assert [style["title"] for style in bring(own, answer.content).json()["fast"]] == ["my garden"]
    painted = [opened(own.post(PAINT, json=order(style))).tobytes() for style in ("my-garden", ref)]
    assert painted[0] == painted[1]
    assert StyleFile.from_bytes(own.get("/api/v1/samples/great-swell.style").content).styles
    assert_error(own.get("/api/v1/samples/nowhere.style"), 404, "not_found", "nowhere")
    assert_error(own.get(f"/api/v1/uploads/{'0' * 64}.style"), 404, "not_found")
    plain = own.post("/api/v1/uploads", files={"file": ("a.png", picture(40, 40))}).json()["ref"]
    assert_error(own.get(f"/api/v1/{plain}.style"), 422, "invalid", "at least 64 px")


def test_a_stored_picture_is_named_by_its_reference(own: TestClient) -> None:
    assert opened(own.post(PAINT, json=order("waves", content="samples/harbour"))).size == (768, 576)
    upload = own.get(f"/api/v1/runs/{start(own)}").json()["content"]
    assert opened(own.post(PAINT, json=order("waves", content=f"uploads/{upload}"))).size == (64, 48)
    for ref in ("samples/habour", "uploads/x"):
        assert_error(own.post(PAINT, json=order("waves", content=ref)), 404, "not_found", field="content")


def test_a_picture_is_stylized_over_a_real_socket(own: TestClient) -> None:
    with served(own.app) as address:
        answer = httpx2.post(address + PAINT, json=order("waves"), timeout=60)
        assert opened(answer).size == (64, 48)
        assert_error(httpx2.post(address + PAINT, json=order("wavse")), 404, "not_found", "did you mean", field="style")
        thumbnail = httpx2.get(f"{address}{FAST}/waves/thumbnail.jpg")
        assert opened(thumbnail).format == "JPEG"


def test_a_picture_is_stylized_during_a_run(own: TestClient) -> None:
    run_id = start(own, options={"epochs": 1000, "size": 64, "steps_per_epoch": 100})
    wait_until(lambda: own.get(f"/api/v1/runs/{run_id}").json()["state"] == "running")
    assert opened(own.post(PAINT, json=order("waves")))
    assert own.get(f"/api/v1/runs/{run_id}").json()["state"] == "running"
    own.post(f"/api/v1/runs/{run_id}/stop")


@pytest.mark.parametrize(
    ("changes", "status", "code", "words", "field"),
    [
        ({"content": None}, 422, "invalid", ["`content` is missing"], "content"),
        ({"content": 7}, 422, "invalid", ["`content`", "base64", "int"], "content"),
        ({"content": encoded(b"no picture")}, 415, "not_an_image", ["PNG"], "content"),
        ({"content": encoded(picture()[:60])}, 415, "not_an_image", ["cut off"], "content"),
        ({"content": encoded(picture(8, 8))}, 422, "invalid", ["16"], "content"),
        ({"style": None}, 422, "invalid", ["`style` is missing"], "style"),
        ({"style": 7}, 422, "invalid", ["`style`", "name", "got 7"], "style"),
        ({"style": ["waves"]}, 422, "invalid", ["`style`", "weights"], "style"),
        ({"style": {}}, 422, "invalid", ["1 to 4 styles, got 0"], "style"),
        ({"style": {"waves": -1}}, 422, "invalid", ["'waves'", "-1"], "style"),
        ({"style": {"waves": "1"}}, 422, "invalid", ["'waves'", "number"], "style"),
        ({"style": {"waves": 0}}, 422, "invalid", ["above 0"], "style"),
        ({"style": {"waves": 1, "cubes": 1}}, 422, "invalid", ["one network"], "style"),
        ({"style": "wavse"}, 404, "not_found", ["'wavse'", "did you mean 'waves'?"], "style"),
        ({"style": {"waves": 1, "dost": 1}}, 404, "not_found", ["did you mean 'dots'?"], "style"),
        ({"style": "../../outside"}, 404, "not_found", [], "style"),
        ({"style": "\0\n" * 500}, 404, "not_found", [], "style"),
        ({"options": {"strength": 2}}, 422, "invalid", ["between 0 and 1", "got 2"], "strength"),
        ({"options": {"strenght": 1}}, 422, "invalid", ["did you mean 'strength'?"], "strenght"),
        ({"options": {"size": 10**6}}, 422, "invalid", ["64 and 8192"], "size"),
        ({"options": []}, 422, "invalid", ["options must be an object"], None),
        ({"format": "gif"}, 422, "invalid", ["`format`", "png, jpeg", "'gif'"], "format"),
        ({"keep": 1}, 422, "invalid", ["`keep`", "true or false"], "keep"),
        ({"keep": True, "format": "jpeg"}, 422, "invalid", ["`format` must be png", "jpeg"], "format"),
        ({"keep": True, "content": encoded(picture(8, 8))}, 422, "invalid", ["16"], "content"),
        ({"sytle": "waves"}, 422, "invalid", ["did you mean 'style'?"], "sytle"),
    ],
)
def test_an_invalid_request_is_refused_in_one_line(
    own: TestClient, changes: dict[str, Any], status: int, code: str, words: list[str], field: str | None
) -> None:
    assert_error(own.post(PAINT, json=order("waves") | changes), status, code, *words, field=field)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "style"),
        ({"style": "{"}, "style"),
        ({"style": "{" * 100_000}, "style"),
        ({"style": "waves", "options": "["}, "options"),
        ({"style": "waves", "options": '{"style": 7}'}, "style"),
        ({"style": "waves", "format": "7"}, "format"),
        ({"style": "waves", "gpu": "true"}, "gpu"),
    ],
)
def test_an_invalid_form_is_refused_in_one_line(own: TestClient, fields: dict[str, str], field: str) -> None:
    assert_error(own.post(PAINT, files={"content": ("a.png", picture())}, data=fields), 422, "invalid", field=field)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"", b"[" * 200_000])
def test_a_body_that_cannot_be_read_is_malformed(site: TestClient, content: bytes) -> None:
    assert_error(site.post(PAINT, content=content), 400, "malformed", "JSON")


@pytest.mark.parametrize(("path", "megabytes"), [(PAINT, 42), (FAST, 66), (f"{FAST}/waves", 2)])
def test_a_body_with_too_large_a_content_length_is_refused_at_once(site: TestClient, path: str, megabytes: int) -> None:
    answer = site.post(path, content=b"{}", headers={"Content-Length": str(megabytes * 2**20)})
    assert_error(answer, 413, "too_large", "MB")


def test_fast_styles_are_listed_with_the_sample_styles(own: TestClient) -> None:
    said = own.get("/api/v1/styles").json()
    assert {sample["kind"] for sample in said["styles"]} == {"style"}
    styles = listed(own)
    assert {name for name, style in styles.items() if not style["shipped"]} >= {"waves", "dots", "cubes"}
    assert styles["waves"]["title"] == "The waves"
    assert styles["waves"]["provenance"] == {"painting": "waves"}
    assert styles["waves"]["network"] == styles["dots"]["network"] != styles["cubes"]["network"]
    for style in styles.values():
        assert opened(own.get(style["thumbnail"])).format == "JPEG"


def test_a_style_file_is_exported_and_added_to_another_studio(own: TestClient) -> None:
    answer = own.get(listed(own)["dots"]["file"])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert 'filename="dots.style"' in answer.headers["content-disposition"]
    assert list(StyleFile.from_bytes(answer.content).styles) == ["dots"]
    assert_error(bring(own, answer.content), 422, "invalid", "'dots' already")
    assert own.delete(f"{FAST}/dots").status_code == 204
    again = bring(own, answer.content)
    assert (again.status_code, [style["name"] for style in again.json()["fast"]]) == (201, ["dots"])


def test_a_style_is_renamed(own: TestClient) -> None:
    assert own.patch(f"{FAST}/waves", json={"title": "The sea"}).json()["title"] == "The sea"
    renamed = own.patch(f"{FAST}/waves", json={"name": "sea"}).json()
    assert (renamed["name"], renamed["title"]) == ("sea", "The sea")
    assert "waves" not in listed(own)
    assert_error(own.patch(f"{FAST}/waves", json={"name": "x"}), 404, "not_found", "'waves'")
    assert_error(own.patch(f"{FAST}/sea", json={"name": "dots"}), 422, "invalid", "'dots' already")
    for wrong in ({}, {"name": "../x"}, {"name": 7}, {"title": "a\nb"}, {"title": 7}, {"nmae": "x"}):
        assert_error(
            own.patch(f"{FAST}/sea", json=wrong), 422, "invalid", field=next(iter(wrong)) if "nmae" in wrong else None
        )
    assert listed(own)["sea"]["title"] == "The sea"


def test_a_shipped_style_is_not_changed(site: TestClient) -> None:
    name = shipped(site)
    assert_error(site.delete(f"{FAST}/{name}"), 422, "invalid", name, "came with the program")
    assert_error(site.patch(f"{FAST}/{name}", json={"name": "mine"}), 422, "invalid", "came with the program")
    assert_error(bring(site, site.get(f"{FAST}/{name}.style").content), 422, "invalid", "already")
    assert listed(site)[name]["shipped"]


@pytest.mark.parametrize("path", ["/nobody/thumbnail.jpg", "/nobody.style", "/..%2F..%2Fstudio.sqlite", "/%00.style"])
def test_an_unknown_style_is_not_found(site: TestClient, path: str) -> None:
    assert_error(
        site.delete(f"{FAST}{path}") if path.startswith("/..") else site.get(f"{FAST}{path}"), 404, "not_found"
    )


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_is_no_style_file_is_refused_in_one_line(site: TestClient, kind: str) -> None:
    before = listed(site)
    assert_error(bring(site, HOSTILE[kind]()), 422, "invalid", "'mine.style'", "no style file of ours")
    assert listed(site) == before


def test_a_form_without_a_file_is_refused(site: TestClient) -> None:
    assert_error(
        site.post(FAST, files={"flie": ("a.style", b"x")}), 422, "invalid", "`flie` must be text", field="flie"
    )
    assert_error(site.post(FAST, files={"file": (None, "x")}), 422, "invalid", "`file` must be a file", field="file")
    assert_error(site.post(FAST, files={"also": (None, "x")}), 422, "invalid", "'also'", field="also")
    assert_error(site.post(FAST, data={"file": "x"}), 422, "invalid", "`file`", field="file")


def test_in_a_shared_studio_all_may_stylize_and_none_changes_the_styles(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = Settings(data=tmp_path_factory.mktemp("shared"), many=True)
    store = Store(settings.data)
    (settings.data / "styles").mkdir()
    (settings.data / "styles" / "several.style").write_bytes(style_file("waves", "dots").to_bytes())
    anna = {HEADER: "a" * 32}
    site = create_app(settings, store, queue_of(settings, store))
    with TestClient(site, base_url="http://localhost", raise_server_exceptions=False, headers=anna) as client:
        assert "waves" in listed(client)
        for answer in (
            bring(client, style_file("cubes").to_bytes()),
            client.patch(f"{FAST}/waves", json={"name": "sea"}),
            client.delete(f"{FAST}/waves"),
        ):
            assert_error(answer, 403, "forbidden", "several people")
        assert set(listed(client)) >= {"waves", "dots"}
        assert opened(client.get(f"{FAST}/waves/thumbnail.jpg"))
        assert_error(client.post(PAINT, json=order("wavse")), 404, "not_found", "'waves'", field="style")


def test_the_fast_routes_require_the_token(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(data=tmp_path_factory.mktemp("locked"), token="s" * 32)
    store = Store(settings.data)
    client = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost")
    for answer in (client.post(PAINT, json=order("waves")), bring(client, b""), client.get(f"{FAST}/waves.style")):
        assert_error(answer, 401, "unauthorized", "token")
    store.close()


def test_without_a_worker_the_answer_is_busy(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(data=tmp_path_factory.mktemp("early"))
    store = Store(settings.data)
    client = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost")
    answer = client.post(PAINT, json=order(shipped(client)))
    assert_error(answer, 503, "busy", "no worker")
    assert answer.headers["retry-after"]
    store.close()


def test_a_run_refuses_a_fast_style(site: TestClient) -> None:
    assert_error(site.post("/api/v1/runs", json=body(style="starry-night")), 422, "invalid", field="style")
