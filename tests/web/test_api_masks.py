"""Masks over REST, in JSON and in forms."""

import io
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from nst.pictures.provenance import read
from tests.web.sites import picture
from tests.web.test_api import QUICK, assert_error, body, encoded, follow, start

PATH = "/api/v1/runs"


def mask_file(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, "PNG")
    return file.getvalue()


def test_a_mask_in_json_and_one_in_a_form_are_the_same_run(client: TestClient) -> None:
    first = client.get(f"{PATH}/{start(client, mask=encoded(mask_file()))}").json()
    files = {
        "content": ("a.png", picture()),
        "style": ("b.png", picture(40, 40, "red")),
        "mask": ("m.png", mask_file()),
    }
    answer = client.post(PATH, files=files, data=QUICK)
    assert answer.status_code == 202, answer.text
    second = client.get(answer.headers["location"]).json()
    assert first["mask"] == second["mask"]
    assert (second["names"]["mask"], second["options"]["mask_use"]) == ("m.png", "protect")
    follow(client, second["id"])
    assert read(client.get(f"{PATH}/{second['id']}/result.png").content, "it").mask == second["mask"]
    assert client.get(f"/api/v1/uploads/{second['mask']}.jpg").status_code == 200


def test_a_run_without_a_mask_has_none(client: TestClient) -> None:
    assert client.get(f"{PATH}/{start(client)}").json()["mask"] is None


def test_two_paintings_have_a_part_each(client: TestClient) -> None:
    style, options = [encoded(picture(40, 40, colour)) for colour in ("red", "navy")], QUICK | {"mask_use": "styles"}
    run = client.get(f"{PATH}/{start(client, style=style, mask=encoded(mask_file()), options=options)}").json()
    assert (run["options"]["mask_use"], len(run["more_styles"])) == ("styles", 1)


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"mask": encoded(mask_file(64, 64))}, "mask", "the shape of the content, 64 x 48 px or in proportion"),
        ({"mask": encoded(b"no picture")}, "mask", "'mask' must be a picture"),
        ({"mask": 7}, "mask", "must be a picture in base64, got int"),
        ({"mask": encoded(mask_file()), "options": QUICK | {"mask_use": "styles"}}, "mask_use", "needs two paintings"),
        ({"options": QUICK | {"mask_use": "strength"}}, "mask_use", "no mask was given"),
        ({"options": QUICK | {"mask_use": "hide"}}, "mask_use", "one of protect, styles, strength; got 'hide'"),
    ],
)
def test_a_wrong_mask_is_refused_in_one_line(client: TestClient, given: Any, field: str, words: str) -> None:
    answer = client.post(PATH, json=body(**given))
    assert answer.status_code in (415, 422)
    assert_error(answer, answer.status_code, answer.json()["error"]["code"], words, field=field)
