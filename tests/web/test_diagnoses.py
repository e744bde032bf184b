"""What the losses of a frame consist of: over REST with a real engine, and on the page."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from dash import html
from fastapi.testclient import TestClient

from nst.errors import Conflict
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.runs.events import Losses, Started
from nst.runs.job import DiagnosisJob
from nst.runs.run import Run
from nst.web.callbacks.run.diagnosis import examined
from nst.web.components.run.diagnosis import card, diagnosis_line, diagnosis_view
from nst.web.service.diagnoses import _options_at, reconstructions
from nst.web.service.service import Service
from tests.epochs import epoch_event
from tests.web.sites import picture
from tests.web.test_api import assert_error, follow, start

FOUND: dict[str, Any] = {
    "epoch": 3,
    "width": 64,
    "height": 48,
    "side": 64,
    "layers": [
        {"role": "content", "layer": "block3_conv1", "loss": 0.5, "share": 0.25},
        {"role": "style", "layer": "block1_conv1", "loss": 0.1, "share": 0.2},
    ],
    "tv_share": 0.05,
    "neighbor_share": 0.5,
    "matrices": {"block1_conv1": {"now": "AAAA", "target": "BBBB"}},
    "maps": {"content": "CCCC", "style": "DDDD"},
}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A service whose queue was never started."""
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    return Service(settings, store, Queue(settings, store), Archive(store, 10**9))


def parts(tree: Any, kind: str) -> list[Any]:
    return [each for each in tree._traverse() if type(each).__name__ == kind]


def test_a_worker_diagnoses_a_frame_once(client: TestClient) -> None:
    run_id = start(client)
    follow(client, run_id)
    path = f"/api/v1/runs/{run_id}/diagnosis"
    answer = client.get(f"{path}?epoch=1")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["epoch"] == 1
    others = found["tv_share"] + found["neighbor_share"]
    assert sum(layer["share"] for layer in found["layers"]) + others == pytest.approx(1)
    assert client.get(f"{path}?epoch=1").json() == found
    assert client.get(path).json()["epoch"] == 2
    assert_error(client.get(f"{path}?epoch=7"), 404, "not_found", "7")


def started(service: Service, frames: int) -> Run:
    content, style = (service.store.put_upload(picture(colour=colour)) for colour in ("teal", "red"))
    run = service.store.create(StyleOptions(epochs=4), content, style)
    service.store.append(run.id, Started(extractor="compact", note="", width=64, height=48, epochs=4, steps=20))
    for n in range(frames):
        frame = picture(format="JPEG")
        service.store.append(
            run.id,
            epoch_event(n, step=5 * n, losses=Losses(3, 1, 1, 1), steps_per_second=5.0, seconds_left=1.0, image=frame),
        )
    return service.store.run(run.id)


def keep(service: Service, run: Run, epoch: int) -> None:
    """Store a diagnosis, as a worker would have made it."""
    path = service.store.files.folder(run.id) / "diagnosis" / f"{epoch}-on-scale.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(FOUND | {"epoch": epoch}))


def test_the_epoch_that_the_scrubber_shows_is_examined_or_else_the_newest(service: Service) -> None:
    run = started(service, 4)
    for epoch in (1, 3):
        keep(service, run, epoch)
    assert service.diagnoses.near(run, "1")["epoch"] == 1
    assert service.diagnoses.near(run, 77)["epoch"] == 3
    for no_epoch in (None, "now", float("inf"), float("nan")):
        assert service.diagnoses.near(run, no_epoch)["epoch"] == 3


def test_the_mask_of_a_run_goes_to_the_worker(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    run, mask = started(service, 1), picture(colour="white")
    run = dataclasses.replace(run, mask=service.store.put_upload(mask))
    jobs: list[DiagnosisJob] = []
    monkeypatch.setattr(service.queue, "diagnose", lambda job, client: jobs.append(job) or FOUND)
    service.diagnoses.of(run)
    assert DiagnosisJob.from_wire(jobs[0].to_wire()).mask == mask


def test_a_diagnosis_that_fails_ends_the_wait(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started(service, 1)
    assert examined(service, "nowhere", 0) == ("There is no run 'nowhere'.", None)
    keep(service, run, 0)
    assert diagnosis_line(FOUND | {"epoch": 0})[0] == examined(service, run.id, 0)[0][0]
    monkeypatch.setattr(service.diagnoses, "near", lambda run, epoch: 1 / 0)
    assert examined(service, run.id, 0) == ("Something went wrong here.", None)


def test_a_run_without_a_frame_cannot_be_examined(service: Service) -> None:
    with pytest.raises(Conflict, match="no frame yet"):
        service.diagnoses.near(started(service, 0), 0)


def test_the_options_are_those_in_force_at_the_epoch() -> None:
    steered = ({"step": 6, "epoch": 1, "changes": {"strength": 2.0}}, {"step": 16, "epoch": 3, "changes": {"seed": 1}})
    run = Run("a" * 32, 0.0, StyleOptions(), "c", "s", steered=steered)
    assert [_options_at(run, epoch).strength for epoch in (1, 2)] == [1.0, 2.0]
    weaker = Run("a" * 32, 0.0, StyleOptions(), "c", "s", steered=({**steered[0], "changes": {"strength": 0.5}},))
    assert _options_at(weaker, 2).color_transfer_amount == 1.0  # as the run began


def test_the_card_names_the_layer_that_disagrees_most_and_shows_all() -> None:
    assert diagnosis_line(FOUND)[2] == " disagrees most: 50\u00a0%."
    assert [strong.children for strong in diagnosis_line(FOUND) if isinstance(strong, html.Strong)] == ["Neighbors"]
    assert diagnosis_line(FOUND)[0] == "Epoch 3, painted at 64\u00a0px. "
    assert diagnosis_line(FOUND | {"side": 512})[0] == "Epoch 3, painted at 512\u00a0px, examined at 64\u00a0px. "
    less = FOUND | {"neighbor_share": 0.0, "tv_share": 0.1}
    assert diagnosis_line(less)[1].children == "Content block3_conv1"
    view = diagnosis_view(FOUND, "/frame.jpg")
    shares = [row.style["--share"] for part in view for row in parts(part, "Div") if "bar-row" in row.className]
    assert shares == [0.25, 0.2, 0.05, 0.5]
    images = [image for part in view for image in parts(part, "Img")]
    assert [image.src for image in images if image.alt] == [f"data:image/png;base64,{each * 4}" for each in "CDAB"]


def test_single_layers_are_quick_runs_without_the_other_loss(service: Service) -> None:
    run = started(service, 1)
    content, style = (reconstructions(run, role) for role in ("content", "style"))
    assert content.quick({}).init == "image"  # of noise: the start "noise" would add the content's details
    assert content.columns == 5  # those of the style, among which is the content layer
    assert (content.options.style_weight, style.options.content_weight) == (0.0, 0.0)
    assert (content.options.neighbor_weight, style.options.neighbor_weight) == (0.0, 0.0)
    assert content.options.color_transfer_amount == run.options.color_transfer_amount  # what the run is compared with
    assert dict(style.changes()[0]["style_layers"]) == {"block1_conv1": 1.0}


def test_the_card_is_closed_and_computes_nothing_by_itself() -> None:
    assert not getattr(card(), "open", False)
    assert len(parts(card(), "Button")) == 3
