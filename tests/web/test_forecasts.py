"""Forecasts of runs, in the service, on the page and over REST."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nst.errors import NotFound, OptionError
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures.samples import CONTENTS
from nst.runs.estimates import PlannedRun, auto_network, calibration_for
from nst.runs.events import Finished, Losses, Started
from nst.web.callbacks.run.result_tools import upscaling_line
from nst.web.components.form.estimate import MEASURING, estimate_line
from nst.web.service.service import Service
from tests.epochs import epoch_event
from tests.web.fake_runner import CALIBRATION, MEMORY
from tests.web.sites import picture
from tests.web.test_api import QUICK, assert_error, body, encoded, follow, start

FORECAST: dict[str, Any] = {"seconds": 41.0, "bytes": 1_140_000_000, "tiled": False, "at_most": False}
HEALTH = {
    "worker": "warm",
    "auto": "compact",
    "precision": "float32",
    "memory": MEMORY,
    "calibrations": [CALIBRATION.to_json()],
}


@pytest.mark.parametrize(
    ("changes", "worker", "children", "kind"),
    [
        ({}, "warm", "About 40 s, 1.1 GB", "estimate"),
        ({"at_most": True}, "warm", "At most 40 s, 1.1 GB", "estimate"),
        ({"seconds": None}, "warm", "About 1.1 GB", "estimate"),
        ({"seconds": None}, "starting", MEASURING, "estimate"),
        (None, "starting", MEASURING, "estimate"),
        (None, "lost", "", "estimate"),
        ({"tiled": True, "seconds": 3900.0}, "warm", "About 1 h 05 min, 1.1 GB. ", "estimate estimate-warning"),
    ],
)
def test_the_estimate_line_shows_what_is_known(
    changes: dict[str, Any] | None, worker: str, children: str, kind: str
) -> None:
    found = estimate_line(None if changes is None else FORECAST | changes, worker)
    assert found["class"] == kind
    if "warning" in kind:
        assert found["children"].startswith(children)
        assert "by tiles" in found["children"]
    else:
        assert found["children"] == children


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service whose worker has reported its hardware."""
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    queue = Queue(settings, store)
    monkeypatch.setattr(queue, "health", lambda: HEALTH)
    return Service(settings, store, queue, Archive(store, 10**9))


def test_a_forecast_is_the_estimate_of_the_network_that_will_be_used(service: Service) -> None:
    options = StyleOptions(size=256)
    planned = PlannedRun(576, 768, options, "compact", styles=[(60, 80)])
    expected = planned.estimate(CALIBRATION, MEMORY)
    style = service.pictures.keep(picture(80, 60), "style")
    found = service.forecasts.forecast(options, f"samples/{CONTENTS[0].name}", style)
    why = "VGG19's weights are not here."
    assert found == {**expected.to_json(), "extractor": "compact", "precision": "float32", "why": why}
    assert found == service.forecasts.forecast(options, (576, 768), style)
    mixed = dataclasses.replace(planned, styles=[(60, 80), (60, 80)]).estimate(CALIBRATION, MEMORY)
    assert (service.forecasts.forecast(options, (576, 768), style, style) or {}).items() >= mixed.to_json().items()
    chosen = StyleOptions(extractor="vgg16", precision="bfloat16")
    speed = calibration_for("vgg16", "bfloat16", [CALIBRATION])
    assert service.forecasts.forecast(chosen, (120, 160)) == {
        **PlannedRun(120, 160, chosen, "vgg16", "bfloat16").estimate(speed, MEMORY).to_json(),
        "extractor": "vgg16",
        "precision": "bfloat16",
        "why": "",
    }


def test_a_forecast_is_of_the_network_that_auto_will_stand_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker uses the same rule with the same numbers."""
    monkeypatch.setattr(service.queue, "extractors", lambda: {"vgg19": {"installed": True}})
    slow, quick = StyleOptions(size=1024, epochs=1000), StyleOptions(size=64, epochs=1)
    for options, network, words in ((slow, "compact", "VGG19 would take about"), (quick, "vgg19", "quick enough")):
        found = service.forecasts.forecast(options, (120, 160))
        assert found is not None
        assert (found["extractor"], found["why"]) == auto_network(
            PlannedRun(120, 160, options, "vgg19"), [CALIBRATION], MEMORY
        )
        assert found["extractor"] == network
        assert words in found["why"]
    chosen = service.forecasts.forecast(dataclasses.replace(slow, extractor="vgg19"), (120, 160))
    assert chosen is not None
    assert (chosen["extractor"], chosen["why"]) == ("vgg19", "")


def painted(service: Service, options: StyleOptions, times: float, tiled: bool = False) -> float:
    """Add a finished run that took `times` its estimate; returns the estimate in seconds."""
    ref = service.pictures.upload_id(service.pictures.keep(picture(80, 60), "a"))
    run = service.store.create(options, ref, ref)
    expected = PlannedRun(60, 80, options, "compact").seconds(CALIBRATION, None)
    width = options.size
    for event in (
        Started(
            extractor="compact",
            note="",
            width=width,
            height=width * 3 // 4,
            epochs=1,
            steps=1,
            precision="float32",
            tiled=tiled,
        ),
        epoch_event(
            1,
            step=1,
            losses=Losses(1.0, 1.0, 0.0, 0.0),
            width=width,
            height=width * 3 // 4,
            steps_per_second=1.0,
            image=b"",
        ),
        Finished(seconds=times * expected, image=picture()),
    ):
        service.store.append(run.id, event)
    return expected


def test_an_upscaling_is_forecast_as_the_run_that_it_starts(service: Service) -> None:
    painted(service, StyleOptions(size=128), 1.0)
    [run] = service.store.runs()
    forecast = service.runs.forecast_upscaling(run.id, 2048)
    assert upscaling_line(service, run.id, 2048) == estimate_line(forecast, "warm")
    assert forecast == service.forecasts.of_run(service.runs.upscale(run.id, 2048))
    refused = upscaling_line(service, run.id, 4096)
    assert refused["class"] == "estimate estimate-refused"
    assert refused["children"].startswith("Size 4096 needs ")


def test_a_forecast_is_scaled_by_the_time_that_the_last_runs_took(service: Service) -> None:
    """Only the runs of this server count: others do not show how busy the machine is now."""
    options = StyleOptions(size=256)
    alone = service.forecasts.forecast(options, (60, 80))
    assert alone
    painted(service, StyleOptions(size=128), 9.0)
    last = ((128, 1.5), (256, 2.0), (512, 3.0))
    expected = [painted(service, StyleOptions(size=size), times) for size, times in last]
    painted(service, StyleOptions(size=256, epochs="auto"), 9.0)
    painted(service, StyleOptions(size=256), 9.0, tiled=True)
    pace = sum(times * seconds for (_, times), seconds in zip(last, expected, strict=True)) / sum(expected)
    found = service.forecasts.forecast(options, (60, 80))
    assert found
    assert found["seconds"] == pytest.approx(pace * alone["seconds"], rel=1e-3)
    assert service.forecasts.forecast(StyleOptions(size=256, extractor="vgg16"), (60, 80)) == Service(
        service.settings, service.store, service.queue, service.archive
    ).forecasts.forecast(StyleOptions(size=256, extractor="vgg16"), (60, 80))
    again = Service(service.settings, service.store, service.queue, service.archive)
    assert again.forecasts.forecast(options, (60, 80)) == alone


def test_a_picture_that_lies_on_its_side_is_measured_upright(service: Service) -> None:
    assert service.pictures.shape(service.pictures.keep(picture(80, 60), "a")) == (60, 80)
    ref = service.pictures.keep(picture(60, 80), "b")
    again = Service(service.settings, service.store, service.queue, service.archive)  # as after a restart
    assert again.pictures.shape(ref) == (80, 60)
    with pytest.raises(NotFound):
        again.pictures.shape("uploads/none")


@pytest.mark.parametrize("missing", ["auto", "precision", "memory"])
def test_there_is_no_forecast_until_a_worker_has_reported_its_hardware(
    service: Service, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    bare = {name: value for name, value in HEALTH.items() if name != missing}
    monkeypatch.setattr(service.queue, "health", lambda: bare)
    assert service.forecasts.forecast(StyleOptions(), (120, 160)) is None
    monkeypatch.setattr(service.queue, "health", lambda: HEALTH | {"calibrations": []})
    found = service.forecasts.forecast(StyleOptions(), (120, 160))
    assert found is not None
    assert found["seconds"] is None


def test_a_run_that_does_not_fit_into_memory_is_refused_before_it_is_created(service: Service) -> None:
    ref = service.pictures.keep(picture(), "mine")
    with pytest.raises(OptionError, match="the largest size that fits is") as forecast:
        service.forecasts.forecast(StyleOptions(size=4096, optimizer="lbfgs"), ref, ref)
    with pytest.raises(OptionError) as start:
        service.runs.start(StyleOptions(size=4096, optimizer="lbfgs"), ref, ref)
    assert str(start.value) == str(forecast.value)
    assert start.value.option == "size"
    assert service.store.runs() == []
    largest = int(str(start.value).rpartition(" ")[2])
    assert service.runs.start(StyleOptions(size=largest, optimizer="lbfgs"), ref, ref).options.size == largest


@pytest.fixture
def warm(client: TestClient) -> TestClient:
    """A site whose worker is ready, since it has finished a run."""
    follow(client, start(client))
    return client


def test_an_estimate_has_a_route_and_comes_with_every_new_run(warm: TestClient) -> None:
    shape = {"height": 48, "width": 64}
    answer = warm.post("/api/v1/estimate", json={**shape, "options": QUICK})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["width"], found["height"], found["tile"], found["tiled"]) == (64, 48, None, False)
    assert (found["extractor"], found["precision"], found["at_most"]) == ("compact", "float32", False)
    assert found["seconds"] > 0
    assert found["bytes"] > 10**8
    longer = warm.post("/api/v1/estimate", json={**shape, "options": QUICK | {"epochs": "auto"}}).json()
    assert longer["seconds"] > found["seconds"]
    assert longer["at_most"]
    started = warm.post("/api/v1/runs", json=body())
    run = warm.get(started.headers["location"]).json()
    refs = {"content": run["content"], "style": f"uploads/{run['style']}"}
    assert warm.post("/api/v1/estimate", json={**refs, "options": QUICK}).json() == started.json()["estimate"]


def test_a_run_that_does_not_fit_into_memory_is_refused_over_rest(warm: TestClient) -> None:
    options = {"size": 4096, "optimizer": "lbfgs"}
    asked = warm.post("/api/v1/estimate", json={"height": 48, "width": 64, "options": options})
    assert_error(asked, 422, "invalid", "`size` 4096", "the largest size that fits is", field="size")
    started = warm.post("/api/v1/runs", json=body(style=encoded(picture()), options=options))
    assert_error(started, 422, "invalid", asked.json()["error"]["message"], field="size")


def test_a_network_without_weights_is_refused_by_both_routes_in_the_same_words(warm: TestClient) -> None:
    options = QUICK | {"extractor": "vgg16"}
    asked = warm.post("/api/v1/estimate", json={"height": 48, "width": 64, "options": options})
    assert_error(asked, 422, "invalid", "`extractor` cannot be 'vgg16'", field="extractor")
    assert warm.post("/api/v1/runs", json=body(options=options)).json() == asked.json()


def test_an_unknown_layer_is_refused_by_both_routes_in_the_same_words(warm: TestClient) -> None:
    options = QUICK | {"content_layers": {"nonsense": 1}}
    asked = warm.post("/api/v1/estimate", json={"height": 48, "width": 64, "options": options})
    assert_error(asked, 422, "invalid", "network has no layer 'nonsense'", field="content_layers")
    assert warm.post("/api/v1/runs", json=body(options=options)).json() == asked.json()


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({"options": QUICK}, 422, "height"),
        ({"content": "samples/mona"}, 404, None),
        ({"content": "uploads/none"}, 404, None),
        ({"height": 48, "width": 64, "options": {"size": 8}}, 422, "size"),
    ],
)
def test_an_invalid_estimate_request_is_refused(
    client: TestClient, asked: dict[str, Any], status: int, field: str | None
) -> None:
    assert_error(
        client.post("/api/v1/estimate", json=asked), status, {404: "not_found", 422: "invalid"}[status], field=field
    )
    assert_error(client.post("/api/v1/estimate", content=b"{"), 400, "malformed", "JSON")


def test_until_the_machine_is_measured_an_estimate_gets_a_retry_time(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.app.state.service.queue, "health", lambda: HEALTH | {"calibrations": []})  # type: ignore
    answer = client.post("/api/v1/estimate", json={"height": 48, "width": 64})
    assert_error(answer, 503, "busy", "has not measured this machine yet")
    assert int(answer.headers["Retry-After"]) > 0
