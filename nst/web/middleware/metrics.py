"""Metrics of the server in Prometheus' text format. None of them identifies a run or a client."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.runs.run import State
from nst.web.service.service import Service

WORKER_STATES = ("starting", "warm", "lost", "closed")
KNOWN_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # clients may send any text as a method
NO_ROUTE = "none"  # label of requests that middleware answered


class Metrics:
    """The metrics of one server, in their own registry: tests make several servers in a process."""

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_ServiceCollector(service))
        ProcessCollector(registry=self._registry)
        route = ("method", "route")
        self._requests = Counter("nst_http_requests", "Requests answered.", (*route, "status"), registry=self._registry)
        self._seconds = Histogram(
            "nst_http_request_seconds",
            "From a request to the end of its answer; some wait for events.",
            route,
            registry=self._registry,
            buckets=(0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0),
        )

    def exposition(self) -> bytes:
        """Return the current values as text. Reads the database and the disk."""
        return generate_latest(self._registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class _ServiceCollector(Collector):
    """Runs, queue, worker and disk, read at each scrape."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> Iterator[Metric]:
        """Return nothing: otherwise the registry would call `collect` when it is made."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Return the current values."""
        service, queued = self._service, self._service.queue.waiting()
        counts = service.archive.count()
        yield _labelled("nst_runs", "Runs by state.", "state", {str(state): counts.get(state, 0) for state in State})
        yield GaugeMetricFamily("nst_queue_length", "Runs that wait.", len(queued))
        oldest = max((time.time() - run.created for run in queued), default=0.0)
        yield GaugeMetricFamily("nst_queue_oldest_seconds", "How long the run that came first has waited.", oldest)
        speed = sum(run.steps_per_second for run in service.store.active() if run.state is State.RUNNING)
        yield GaugeMetricFamily("nst_steps_per_second", "Optimizer steps of all runs being painted.", speed)
        now = service.queue.health()["worker"]
        yield _labelled(
            "nst_worker", "1 of the worker's state.", "state", {state: state == now for state in WORKER_STATES}
        )
        yield GaugeMetricFamily(
            "nst_workers_ready", "Worker processes that paint, or could.", service.queue.ready_count
        )
        yield GaugeMetricFamily("nst_disk_used_bytes", "What runs and uploads take.", service.archive.used())
        yield GaugeMetricFamily("nst_disk_limit_bytes", "What they may take.", service.archive.limit)


def _labelled(name: str, help: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family


class RequestMetrics:
    """ASGI middleware that counts requests and their seconds by route template."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            route = getattr(scope.get("route"), "path", NO_ROUTE)
            method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"
            self._metrics.count(method, route, status, time.monotonic() - began)
