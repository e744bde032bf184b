"""What a browser loads first: compressed, kept for long, and of plotly.js only what the pages draw."""

import gzip
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from plotly.offline import get_plotlyjs_version

from nst.web.factory import ASSETS
from nst.web.pages.plotly_bundle import PLOTLY_URL


def test_the_bundle_is_of_the_version_that_plotly_brings_and_has_its_licence() -> None:
    file = ASSETS / PLOTLY_URL.removeprefix("/assets/")
    assert get_plotlyjs_version() in file.name
    assert "MIT" in file.read_text(encoding="utf-8")[:200]
    assert (file.parent / "LICENSE").is_file()


def test_the_page_names_the_bundle_and_no_other_plotly(client: TestClient) -> None:
    page = client.get("/").text
    assert re.findall(r'src="([^"]*plotly[^"]*)"', page) == [PLOTLY_URL]
    assert f'get: () => "{PLOTLY_URL}"' in page


@pytest.mark.parametrize("path", ["/", "/_dash-layout", PLOTLY_URL, "/openapi.json", "/assets/studio.css"])
def test_text_is_compressed_where_the_browser_takes_it(client: TestClient, path: str) -> None:
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "accept-encoding" in packed.headers["vary"].lower()


@pytest.mark.parametrize("path", ["/api/v1/samples/owl.png", "/api/v1/samples/owl.jpg?side=128"])
def test_pictures_are_sent_as_they_are(client: TestClient, path: str) -> None:
    assert "content-encoding" not in client.get(path, headers={"Accept-Encoding": "gzip"}).headers


def test_a_compressed_answer_is_the_plain_one(client: TestClient) -> None:
    with client.stream("GET", "/assets/studio.css", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert gzip.decompress(packed) == (ASSETS / "studio.css").read_bytes()


def test_assets_whose_address_has_their_version_are_kept_for_a_year(client: TestClient) -> None:
    page = client.get("/").text
    versioned = re.findall(r'(?:src|href)="(/(?:assets|_dash-component-suites)/[^"]+)"', page)
    versioned = [path for path in versioned if path != "/assets/icon.svg"]
    assert len(versioned) > 20
    assert {path for path in versioned if "max-age=31536000" not in client.get(path).headers["cache-control"]} == set()
    assert "cache-control" not in client.get("/assets/studio.css").headers
    assert client.get("/assets/nothing.css?m=1").headers.get("cache-control") is None


def test_as_the_page_opens_no_callback_runs_on_the_server_and_none_waits_for_an_address(client: TestClient) -> None:
    callbacks = [each for each in client.get("/_dash-dependencies").json() if not each["clientside_function"]]
    assert [each["output"] for each in callbacks if not each["prevent_initial_call"]] == []
    assert [each["output"] for each in callbacks if {"id": "url", "property": "pathname"} in each["inputs"]] == []


def test_no_store_tells_of_a_change_as_the_page_opens(client: TestClient) -> None:
    stores = [each["props"] for each in components(client.get("/_dash-layout").json()) if each["type"] == "Store"]
    assert len(stores) > 30
    empty = [store["id"] for store in stores if store.get("storage_type") != "local" and store.get("data", "") is None]
    assert empty == []  # dcc.Store sets `data` then, and all that listens to it runs


def components(node: Any) -> Iterator[dict[str, Any]]:
    """Every component of a layout, as plain values."""
    if isinstance(node, dict) and "namespace" in node:
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from components(child)
