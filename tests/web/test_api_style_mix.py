"""Several paintings over REST: in JSON and in forms, their weights while they are painted, their branches."""

import json
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nst.pictures.provenance import read
from tests.web.sites import picture
from tests.web.test_api import QUICK, assert_error, body, encoded, follow, start
from tests.web.test_api_actions import PATH, SLOW, asked, until

PAINTINGS = [picture(40, 40, colour) for colour in ("red", "gold", "navy")]
LIST = [encoded(painting) for painting in PAINTINGS]


def described(client: TestClient, run_id: str) -> dict[str, Any]:
    return client.get(f"{PATH}/{run_id}").json()


def test_a_list_in_json_and_a_repeated_field_of_a_form_are_the_same_run(client: TestClient) -> None:
    mix = {"style_mix": [2, 1, 1], "style_scales": [1, 0.5, 2]}
    first = described(client, start(client, style=LIST, options=QUICK | mix))
    files = [("content", ("a.png", picture())), *(("style", (f"{n}.png", data)) for n, data in enumerate(PAINTINGS))]
    given = QUICK | {"style_mix": "2,1,1", "style_scales": json.dumps([1, 0.5, 2])}
    answer = client.post("/api/v1/runs", files=files, data=given)
    assert answer.status_code == 202, answer.text
    second = described(client, answer.json()["id"])
    assert second["names"] == {"content": "a.png", "style": "0.png", "style2": "1.png", "style3": "2.png"}
    for run in (first, second):
        assert len(run["more_styles"]) == 2
        assert (run["options"]["style_mix"], run["options"]["style_scales"]) == ([2, 1, 1], [1, 0.5, 2])
    assert [first[name] for name in ("content", "style", "more_styles")] == [
        second[name] for name in ("content", "style", "more_styles")
    ]
    follow(client, first["id"])
    result = read(client.get(f"{PATH}/{first['id']}/result.png").content, "result.png")
    assert (result.style, *result.more_styles) == (first["style"], *first["more_styles"])


def test_a_list_of_one_painting_is_a_run_of_one(client: TestClient) -> None:
    assert described(client, start(client, style=LIST[:1]))["more_styles"] == []


@pytest.mark.parametrize(
    ("style", "options", "field", "words"),
    [
        (LIST + LIST, {}, "style", "`style` must be one to 4 pictures, got more"),
        ([], {}, "style", "`style` is missing"),
        ([LIST[0], 7], {}, "style", "must be a picture in base64, got int"),
        ([LIST[0], encoded(b"no picture")], {}, "style", "'style2' must be a picture"),
        (LIST, {"style_mix": [1, 2]}, "style_mix", "each of the 3 paintings, got 2"),
        (LIST[0], {"style_scales": [1, 2]}, "style_scales", "one number for one painting, got 2"),
        (LIST, {"style_mix": [0, 0, 0]}, "style_mix", "a weight above 0"),
    ],
)
def test_wrong_paintings_are_refused(client: TestClient, style: Any, options: Any, field: str, words: str) -> None:
    answer = client.post("/api/v1/runs", json=body(style=style, options=QUICK | options))
    assert_error(answer, answer.status_code, answer.json()["error"]["code"], words, field=field)
    assert answer.status_code in (415, 422)


def test_a_form_with_too_many_paintings_is_refused(client: TestClient) -> None:
    files = [("content", ("a.png", picture())), *(("style", ("b.png", PAINTINGS[0])) for _ in range(5))]
    assert_error(client.post("/api/v1/runs", files=files, data=QUICK), 422, "invalid", "one to 4", field="style")


def test_a_key_with_other_paintings_is_refused(client: TestClient) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    client.post("/api/v1/runs", json=body(style=LIST[:2]), headers=key)
    again = client.post("/api/v1/runs", json=body(style=LIST[:2]), headers=key)
    assert again.status_code == 202
    assert_error(client.post("/api/v1/runs", json=body(style=LIST), headers=key), 409, "conflict")


def test_weights_of_paintings_change_during_a_run_and_a_branch_has_them(client: TestClient) -> None:
    run_id = start(client, style=LIST[:2], options=SLOW)
    until(client, run_id, "epoch")
    wrong = client.patch(f"{PATH}/{run_id}/weights", json={"style_mix": [1, 2, 3]})
    assert_error(wrong, 422, "invalid", "each of the 2 paintings, got 3", field="style_mix")
    answer = client.patch(f"{PATH}/{run_id}/weights", json={"style_mix": [1, 3]})
    assert answer.status_code == 202, answer.text
    assert until(client, run_id, "steered")["changes"] == {"style_mix": [1, 3]}
    client.post(f"{PATH}/{run_id}/stop")
    follow(client, run_id)
    run = described(client, run_id)
    child = described(client, asked(client, run_id, "branch", epoch=0, options={"strength": 2})["id"])
    assert child["more_styles"] == run["more_styles"]
    assert child["options"]["style_mix"] == [1, 3]
    client.post(f"{PATH}/{child['id']}/stop")


def test_an_estimate_counts_each_painting(client: TestClient) -> None:
    def memory(style: Any) -> int:
        answer = client.post("/api/v1/estimate", json={"content": f"uploads/{run['content']}", "style": style})
        assert answer.status_code == 200, answer.text
        return answer.json()["bytes"]

    run = described(client, start(client, style=LIST))
    ref = f"uploads/{run['style']}"
    assert memory(ref) == memory([ref]) < memory([ref, ref])
