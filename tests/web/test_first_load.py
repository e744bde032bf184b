"""What a browser loads first: compressed, kept for long, and of plotly.js only what the pages draw."""

import gzip
import re

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
