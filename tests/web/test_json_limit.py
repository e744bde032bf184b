import json
import tracemalloc
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nst.web.middleware.json_limit import MOST_NESTED, MOST_TOKENS, check_json
from tests.web.test_api import assert_error


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("text", [nested(MOST_NESTED + 1), b"[" * 10**7, b'{"a":' * (MOST_NESTED + 1)])
def test_json_that_is_nested_too_deeply_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        check_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"{}," * 10**7 + b"{}]",
        b"[" + b"1," * MOST_TOKENS + b"1]",
        b'"' * 10**7,
        b'["' + b'\\"' * 10**6 + b'"]',
    ],
)
def test_json_with_too_many_values_is_refused_without_memory_for_them(text: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than 100000"):
            check_json(text)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_json_whose_quotes_other_bytes_may_imitate_is_refused(encoding: str) -> None:
    text = '{"a": "\u0122", "b": [' + "{}," * MOST_TOKENS + "{}]}"  # in UTF-16, that letter has the byte of a quote
    with pytest.raises(ValueError, match="it must be UTF-8, got utf-"):
        check_json(text.encode(encoding))


def test_json_may_begin_with_the_mark_of_utf_8() -> None:
    check_json('{"name": "Dürer"}'.encode("utf-8-sig"))


@pytest.mark.parametrize(
    "value",
    [
        {},
        "[" * 10**6 + "," * 10**6,
        {"a": "\\", "b": ["[" * 100, '\\"' + "{" * 100, "\\\\"]},
        json.loads(nested(MOST_NESTED)),
        [["0" * 32, 12, False, 0]] * 5000,
    ],
)
def test_what_is_in_strings_does_not_count(value: Any) -> None:
    check_json(json.dumps(value).encode())


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v1/estimate", "/_dash-update-component"])
def test_a_body_with_too_much_structure_is_refused_before_it_is_parsed(client: TestClient, path: str) -> None:
    json_type = {"Content-Type": "application/json"}
    answer = client.post(path, content=b"[" + b"{}," * 50_000 + b"{}]", headers=json_type)
    assert_error(answer, 400, "malformed", "more than 100000 brackets")
    answer = client.post(path, content=nested(65), headers=json_type)
    assert_error(answer, 400, "malformed", "more than 64 levels")
    answer = client.post(path, content="{}".encode("utf-16"), headers=json_type)
    assert_error(answer, 400, "malformed", "must be UTF-8, got utf-16")


@pytest.mark.parametrize("path", ["/api/v1/variations", "/api/v1/estimate", "/_dash-update-component"])
def test_a_body_that_is_called_a_form_where_no_route_takes_one_is_limited_all_the_same(
    client: TestClient, path: str
) -> None:
    answer = client.post(path, content=nested(65), headers={"Content-Type": "multipart/form-data; boundary=x"})
    if path.startswith("/api/"):
        assert_error(answer, 400, "malformed", "more than 64 levels")
    else:
        assert answer.status_code == 415


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/_dash-update-component"])
def test_what_dash_parses_is_limited_whatever_the_method(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path, content=nested(65), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("type", ["text/plain", "", "multipart/form-data; boundary=x"])
def test_a_callback_in_no_json_is_refused_as_such(client: TestClient, type: str) -> None:
    answer = client.post("/_dash-update-component", content=b"{}", headers={"Content-Type": type})
    assert_error(answer, 415, "unsupported_media_type", "application/json", repr(type), field="Content-Type")


def test_options_in_a_form_with_too_much_structure_are_refused(client: TestClient) -> None:
    answer = client.post("/api/v1/runs", files={"options": (None, nested(65))})
    assert_error(answer, 422, "invalid", "nested too deeply", field="options")
