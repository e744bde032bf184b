"""Where several people share a studio: who sees which runs over REST, and who may change them."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from nst.errors import Conflict
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.web.callbacks.form.network import cancel_fetch
from nst.web.factory import create_app
from nst.web.middleware.clients import HEADER
from tests.web.sites import queue_of
from tests.web.test_api import QUICK, assert_error, body, follow

ANNA, BEN = {HEADER: "a" * 32}, {HEADER: "b" * 32}


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A shared studio, where each client may have two queued runs."""
    settings = Settings(data=tmp_path_factory.mktemp("shared"), many=True, waiting_each=2, waiting=5)
    store = Store(settings.data)
    site = create_app(settings, store, queue_of(settings, store))
    with TestClient(site, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def begun(site: TestClient, who: dict[str, str], **changes: object) -> str:
    answer = site.post("/api/v1/runs", json=body(**changes), headers=who)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


@pytest.fixture(scope="module")
def annas(shared_site: TestClient) -> str:
    run_id = begun(shared_site, ANNA)
    follow(shared_site, run_id)
    return run_id


def test_lists_show_only_the_runs_of_the_client(shared_site: TestClient, annas: str) -> None:
    def listed(who: dict[str, str], **asked: str) -> list[str]:
        return [run["id"] for run in shared_site.get("/api/v1/runs", params=asked, headers=who).json()["runs"]]

    assert annas in listed(ANNA)
    assert annas not in listed(BEN)
    assert listed(ANNA, run=annas) == [annas]
    assert listed(BEN, run=annas) == []


@pytest.mark.parametrize("path", ["", "/events", "/frames", "/frames/0.jpg", "/partial.jpg", "/result.png", "/stream"])
def test_the_id_of_a_run_is_enough_to_see_it(shared_site: TestClient, annas: str, path: str) -> None:
    answer = shared_site.get(f"/api/v1/runs/{annas}{path}", headers=BEN)
    assert answer.status_code == 200
    assert ANNA[HEADER] not in answer.text


VERBS = [
    ("POST", "/stop"),
    ("POST", "/pause"),
    ("POST", "/resume"),
    ("POST", "/continue"),
    ("POST", "/branch"),
    ("POST", "/timelapse"),
    ("POST", "/restore"),
    ("PATCH", "/weights"),
    ("PATCH", ""),
    ("PUT", "/frames/0/mark"),
    ("DELETE", "/frames/0/mark"),
    ("DELETE", ""),
]


@pytest.mark.parametrize(("method", "path"), VERBS)
def test_only_its_client_may_change_a_run(shared_site: TestClient, annas: str, method: str, path: str) -> None:
    answer = shared_site.request(method, f"/api/v1/runs/{annas}{path}", headers=BEN)
    assert_error(answer, 403, "forbidden", annas)
    assert shared_site.request(method, f"/api/v1/runs/{annas}{path}", headers=ANNA).status_code != 403
    shared_site.post(f"/api/v1/runs/{annas}/restore", headers=ANNA)


def test_a_deleted_run_is_restored_only_by_its_client(shared_site: TestClient) -> None:
    run_id = begun(shared_site, ANNA)
    follow(shared_site, run_id)
    assert shared_site.delete(f"/api/v1/runs/{run_id}", headers=ANNA).status_code == 204
    assert_error(shared_site.post(f"/api/v1/runs/{run_id}/restore", headers=BEN), 403, "forbidden")
    assert shared_site.post(f"/api/v1/runs/{run_id}/restore", headers=ANNA).status_code == 200


def test_an_idempotency_key_is_of_one_client(shared_site: TestClient) -> None:
    runs = [
        shared_site.post("/api/v1/runs", json=body(), headers=who | {"Idempotency-Key": "one"}).json()["id"]
        for who in (ANNA, BEN, ANNA)
    ]
    assert runs[0] == runs[2] != runs[1]
    for run_id in runs:
        follow(shared_site, run_id)


def test_a_client_with_too_many_queued_runs_gets_a_retry_time(shared_site: TestClient) -> None:
    waiting = [begun(shared_site, ANNA, gpu=True) for _ in range(2)]  # which no worker has
    answer = shared_site.post("/api/v1/runs", json=body(), headers=ANNA)
    assert_error(answer, 429, "too_many", "2")
    assert int(answer.headers["retry-after"]) > 0
    follow(shared_site, begun(shared_site, BEN, options=QUICK))
    for run_id in waiting:
        shared_site.post(f"/api/v1/runs/{run_id}/stop", headers=ANNA)


def test_in_a_shared_studio_no_visitor_cancels_a_download(shared_site: TestClient) -> None:
    with pytest.raises(Conflict, match="only its operator may cancel downloads"):
        cancel_fetch(shared_site.app.state.service, "vgg19")  # type: ignore[attr-defined]
