"""Parsing of request bodies, and how long it holds Python's lock."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import InputError
from nst.web.api.request_parsing import decode, estimate_request
from nst.web.service import base64_decoding
from nst.web.service.base64_decoding import decode_base64


@settings(deadline=None)
@given(data=st.binary(max_size=200), size=st.sampled_from([4, 8, 64]), width=st.integers(1, 80))
def test_base64_is_read_in_slices_as_in_one_piece(data: bytes, size: int, width: int) -> None:
    text = base64.b64encode(data).decode()
    wrapped = "\n".join(text[start : start + width] for start in range(0, len(text), width))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(base64_decoding, "SLICE", size)
        assert decode_base64(text) == decode_base64(wrapped) == data


@pytest.mark.parametrize(
    "text", ["QUI=QUJDQUJD", "QQ==QUJDQUJD", "QUJDQUI=QUJD", "QUJDQUJ", "QUJD%UJD", "QUJD\ud800UJD"]
)
@pytest.mark.parametrize("size", [4, 8, 2**20])
def test_invalid_base64_is_refused_wherever_the_slices_end(
    text: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base64_decoding, "SLICE", size)
    with pytest.raises(ValueError, match=r"."):
        decode_base64(text)
    with pytest.raises(InputError, match="`style` is not base64"):
        decode("style", text)


def test_a_large_picture_is_decoded_in_many_short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []

    def watched(text: str, validate: bool) -> bytes:
        lengths.append(len(text))
        return b""

    monkeypatch.setattr(base64, "b64decode", watched)
    decode("content", "data:image/png;base64," + "A" * (3 * base64_decoding.SLICE))
    assert lengths == [base64_decoding.SLICE] * 3


def asked(**body: object) -> tuple[object, ...]:
    return estimate_request(json.dumps(body).encode())


def test_an_estimate_request_names_a_picture_or_a_size() -> None:
    assert asked(height=300, width=400) == ((300, 400), [], {})
    expected = "samples/owl", ["uploads/ab"], {"size": 64}
    assert asked(content="samples/owl", style="ab", options={"size": 64}) == expected
    assert asked(content="samples/owl", style=["ab", "samples/b"])[1] == ["uploads/ab", "samples/b"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "`height` is missing"),
        ({"height": 100}, "`width` is missing"),
        ({"height": 100, "width": 8}, "`width` must be a whole number between 16"),
        ({"height": True, "width": 80}, "got True"),
        ({"height": "1e3", "width": 80}, "got '1e3'"),
        ({"content": 7}, "`content` must be samples/NAME or uploads/ID, got 7"),
        ({"height": 100, "width": 80, "style": list("abcde")}, "`style` must be one to 4 pictures, got 5"),
        ({"contnet": "x"}, "did you mean 'content'"),
    ],
)
def test_an_invalid_estimate_request_is_refused_in_one_line(body: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        asked(**body)
    assert "\n" not in str(caught.value)
