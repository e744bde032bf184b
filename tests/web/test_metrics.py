"""The metrics for Prometheus."""

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from tests.jobs.runs import wait_until
from tests.web.test_api import ENDLESS, follow, start

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(client: TestClient) -> Samples:
    answer = client.get("/api/v1/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def requests(samples: Samples, method: str, route: str, status: str) -> float:
    labels = (("method", method), ("route", route), ("status", status))
    return samples.get(("nst_http_requests_total", labels), 0.0)


def test_runs_queue_worker_and_disk_are_exported(client: TestClient) -> None:
    follow(client, start(client))
    painted, waiting = start(client, options=ENDLESS), start(client)
    wait_until(lambda: client.get(f"/api/v1/runs/{painted}").json()["frames"])
    samples = scraped(client)
    for run_id in (waiting, painted):
        client.post(f"/api/v1/runs/{run_id}/stop")
    assert samples["nst_runs", (("state", "finished"),)] >= 1
    assert samples["nst_runs", (("state", "running"),)] == 1
    assert samples["nst_queue_length", ()] == 1
    assert samples["nst_queue_oldest_seconds", ()] > 0
    assert samples["nst_worker", (("state", "warm"),)] == 1
    assert samples["nst_workers_ready", ()] == 1
    assert 0 < samples["nst_disk_used_bytes", ()] < samples["nst_disk_limit_bytes", ()]


def test_requests_are_counted_by_route_not_by_run(client: TestClient) -> None:
    route = "/api/v1/runs/{run_id}"
    before = scraped(client)
    run_id = start(client)
    client.get(f"/api/v1/runs/{run_id}")
    client.get("/api/v1/runs/x")
    after = scraped(client)
    for status in ("200", "404"):
        assert requests(after, "GET", route, status) == requests(before, "GET", route, status) + 1
    seconds = ("nst_http_request_seconds_count", (("method", "GET"), ("route", route)))
    assert after[seconds] == before.get(seconds, 0.0) + 2
    assert not [labels for _, labels in after if run_id in str(labels)]


def test_an_unknown_method_makes_no_series_of_its_own(client: TestClient) -> None:
    client.request("BREW", "/api/v1/health")
    client.get("/nothing", headers={"Host": "stranger.example"})
    samples = scraped(client)
    assert not [labels for _, labels in samples if "BREW" in str(labels)]
    assert requests(samples, "GET", "none", "403") >= 1


def test_two_studios_in_one_process_count_for_themselves(client: TestClient) -> None:
    from prometheus_client import REGISTRY

    assert not [family.name for family in REGISTRY.collect() if family.name.startswith("nst_")]
