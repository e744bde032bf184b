"""The security headers of every response, and the inline scripts that the policy allows."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.web.factory import create_app
from nst.web.middleware.security_headers import HEADERS, script_hash
from tests.web.sites import queue_of

INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>(.*?)</script>", re.DOTALL)


def policy_of(answer: Any) -> dict[str, list[str]]:
    """The values of the content security policy by directive."""
    directives = (each.split() for each in answer.headers["content-security-policy"].split(";"))
    return {name: values for name, *values in directives}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/gallery", {}, 200),
        ("GET", "/docs", {}, 200),
        ("GET", "/openapi.json", {}, 200),
        ("GET", "/assets/theme.css", {}, 200),
        ("GET", "/api/v1/health", {}, 200),
        ("GET", "/api/v1/nothing", {}, 404),
        ("DELETE", "/api/v1/health", {}, 405),
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("POST", "/api/v1/runs", {"Content-Length": "1000000000"}, 413),
    ],
)
def test_every_response_has_the_headers(
    client: TestClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = policy_of(answer)
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]
    assert "'unsafe-inline'" not in policy["script-src"]


def test_the_answer_to_an_unexpected_error_has_them_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.app.state.service.queue, "health", lambda: 1 / 0)  # type: ignore[attr-defined]
    answer = client.get("/api/v1/health")
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert policy_of(answer)["script-src"] == ["'self'"]


def test_the_policy_allows_the_inline_scripts_of_the_pages_and_no_others(client: TestClient, tmp_path: Path) -> None:
    settings, store = Settings(data=tmp_path, token="open-sesame-open"), Store(tmp_path)
    login = TestClient(create_app(settings, store, queue_of(settings, store)), base_url="http://localhost").get(
        "/login"
    )
    store.close()
    used = set()
    for answer in (client.get("/"), client.get("/docs"), login):
        scripts = INLINE.findall(answer.text)
        assert scripts
        hashes = {script_hash(script) for script in scripts}
        assert hashes <= set(policy_of(answer)["script-src"])
        used |= hashes
    assert used == set(policy_of(client.get("/"))["script-src"]) - {"'self'"}
