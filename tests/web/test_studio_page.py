"""The Studio page without a browser: its layout, its form, and what it shows of a run."""

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import dash
import pytest
from dash.development.base_component import Component

from nst.errors import Busy, Conflict, NstError, OptionError
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.option_field import options_of
from nst.options.picture_roles import ROLES
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.options.variations import Variations
from nst.pictures.provenance import Provenance
from nst.pictures.samples import CONTENTS
from nst.runs.events import (
    Checkpointed,
    Epoch,
    Event,
    Failed,
    Finished,
    Interrupted,
    Losses,
    Paused,
    Started,
    Steered,
    Stopped,
)
from nst.runs.run import Run
from nst.web import callbacks, ids
from nst.web.callbacks.form.chooser import is_ordinary
from nst.web.callbacks.form.settings_upload import MOST_EPOCHS_AT_START, form_values, steering_of
from nst.web.callbacks.run import start_and_poll
from nst.web.callbacks.run.start_and_poll import added_text, start_each
from nst.web.components import run_grid, toast
from nst.web.components.form import network
from nst.web.components.form.network import NETWORK_NAMES
from nst.web.components.form.option_fields import fill_form, read_form
from nst.web.components.form.settings_upload import message
from nst.web.components.run import figures, history, run_queue, run_view, steering
from nst.web.components.run.status import status_text
from nst.web.components.urls import file_stem, run_file_name, run_id_of
from nst.web.follow import RunUpdate
from nst.web.pages import studio
from nst.web.problems import problem_of
from nst.web.service.service import Service
from tests.epochs import epoch_event
from tests.web.sites import picture

PROMISED = (
    "content-upload",
    "style-upload",
    "epochs",
    "start",
    "stop",
    "image-graph",
    "loss-graph",
    "progress",
    "status",
    "download",
)
SERVER = {
    "worker": "warm",
    "error": "",
    "networks": {},
    "fetching": {},
    "queue": [],
    "created": 0,
    "shared": False,
    "gpu": False,
}
LOSSES = Losses(3.0, 1.0, 1.5, 0.5)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A service whose queue was never started."""
    settings, store = Settings(data=tmp_path, waiting=5), Store(tmp_path)
    return Service(settings, store, Queue(settings, store), Archive(store, 10**9))


def components(tree: Any) -> list[Component]:
    return [each for each in tree._traverse() if isinstance(each, Component)]


def test_every_server_callback_is_async(service: Service) -> None:
    app = dash.Dash("test", server=False)
    app.layout = studio.layout
    callbacks.register(app, service)
    registered = [entry["callback"] for entry in app.callback_map.values() if "callback" in entry]
    assert len(registered) >= 8
    assert [callback for callback in registered if not inspect.iscoroutinefunction(callback)] == []


def test_no_callback_takes_the_place_of_another(service: Service) -> None:
    """Dash names callbacks without output after their inputs, so that of two with the same inputs one is lost."""
    app = dash.Dash("test", server=False)
    app.layout = studio.layout
    callbacks.register(app, service)
    registered = [entry["output"] for entry in app._callback_list]
    assert sorted(registered) == sorted(set(registered))


def test_the_layout_has_the_public_ids_the_outputs_and_a_field_for_every_option() -> None:
    present = {each.id for each in components(studio.layout()) if isinstance(getattr(each, "id", None), str)}
    assert set(PROMISED) <= present
    assert {ids.value(option.name) for option in options_of(StyleOptions)} <= present
    assert {place for module in (run_view, run_grid, network) for place, _ in module.OUTPUTS.values()} <= present


def test_the_page_opens_with_both_pictures_chosen() -> None:
    chosen = {
        each.id: getattr(each, "data", None)
        for each in components(studio.layout())
        if str(getattr(each, "id", "")).endswith("choice")
    }
    assert chosen["content-choice"]
    assert chosen["style-choice"]
    assert chosen["init-choice"] is None


@pytest.mark.parametrize(
    "options",
    [
        StyleOptions(),
        StyleOptions(strength=0.05, tv_weight=0.25, keep_colors=True, extractor="vgg16", learning_rate=0.0125),
        StyleOptions(style_layers=(("block1_conv1", 1.0), ("block2_conv1", 0.5)), style_weight=1e9, seed=2**31 - 1),
        StyleOptions(epochs="auto", style_scale=0.25, precision="bfloat16"),
        StyleOptions(style_weight=1234567.0, strength=1 / 3, content_layers=(("block4_conv2", 1 / 3),)),
    ],
)
def test_reading_the_form_inverts_filling_it(options: StyleOptions) -> None:
    assert StyleOptions.from_json(read_form(fill_form(options))) == options


def test_invalid_text_in_the_form_reaches_the_option_that_refuses_it() -> None:
    typed = fill_form(StyleOptions()) | {"size": "huge", "epochs": ""}
    assert read_form(typed)["size"] == "huge"
    assert read_form(typed)["epochs"] == ""


def test_settings_of_a_run_continued_beyond_the_most_epochs_fill_the_form_with_those() -> None:
    found = Provenance("0", {}, "compact", "float32", StyleOptions(epochs=900), (), 1900, "", "")
    values, too_long = form_values(found)
    assert (values["epochs"], too_long) == ("1000", True)
    assert "beyond 1000 epochs" in message("boat.png", [], False, MOST_EPOCHS_AT_START)
    shorter = dataclasses.replace(found, epochs=950)
    values, too_long = form_values(shorter)
    assert (values["epochs"], too_long) == ("950", False)
    assert "beyond" not in message("boat.png", [], False)


def test_settings_read_from_a_steered_result_say_how_it_was_steered() -> None:
    steered = ((11, {"strength": 2.0}), (16, {"style_layers": {"block1_conv1": 1.0}}))
    found = Provenance("0", {}, "compact", "float32", StyleOptions(steps_per_epoch=5), steered, 40, "", "")
    assert steering_of(found) == ["Epoch 2: strength 2", "Epoch 3: style layers block1_conv1 1"]
    said = message("boat.png", [], False, steered=steering_of(found))
    lines = "Epoch 2: strength 2; Epoch 3: style layers block1_conv1 1"
    assert f"steered while it was painted ({lines}): the form has the last values." in said
    assert "steered" not in message("boat.png", [], False)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OptionError("`tv_weight` must be a number", "tv_weight"), "Smoothness weight must be a number"),
        (OptionError("`mask` must have the shape of the content", "mask"), "Mask must have the shape of the content"),
        (OptionError("`stroke_size` must be a number", "stroke_size"), "Stroke size must be a number"),
        (Conflict("only who runs it does (`nst styles`)"), "only who runs it does (`nst styles`)"),
    ],
)
def test_a_message_names_options_as_the_page_does(error: NstError, message: str) -> None:
    assert toast.message_of(error) == message


def test_a_result_that_is_large_enough_is_refused_in_words_of_the_page(service: Service) -> None:
    photo, painting = (service.pictures.keep(picture(colour=colour), f"{colour}.png") for colour in ("teal", "red"))
    run = service.runs.start(StyleOptions(), photo, painting)
    large = dataclasses.replace(STARTED, width=2048, height=1536)
    service.store.append(run.id, large, Finished(seconds=2.0, image=picture()))
    with pytest.raises(OptionError) as caught:
        service.runs.upscale(run.id, 2048)
    assert toast.message_of(caught.value) == "Size must be more than the 2048 px of the result, got 2048"


def test_an_upload_is_never_mistaken_for_a_sample(service: Service) -> None:
    sample = {"ref": f"samples/{CONTENTS[0].name}", "title": CONTENTS[0].title}
    assert service.pictures.choice(service.pictures.upload_id(sample["ref"])) == sample
    for name in (CONTENTS[0].title, sample["ref"]):
        ref = service.pictures.keep(picture(colour="red"), name)
        assert service.pictures.choice(service.pictures.upload_id(ref)) == {
            "ref": ref,
            "title": name.rpartition("/")[2],
        }


def test_the_name_of_an_upload_is_cut(service: Service) -> None:
    ref = service.pictures.keep(picture(), "n" * 300 + ".png")
    assert service.pictures.choice(service.pictures.upload_id(ref))["title"] == "n" * 255


def test_no_run_is_created_when_too_many_are_queued(service: Service) -> None:
    ref = service.pictures.keep(picture(), "mine")
    runs = [service.runs.start(StyleOptions(), ref, ref) for _ in range(5)]
    with pytest.raises(Busy, match="may wait"):
        service.runs.start(StyleOptions(), ref, ref)
    assert len(service.store.runs()) == len(runs)
    assert int(problem_of(Busy("no")).headers["Retry-After"]) > 0


def test_a_batch_has_at_most_as_many_photographs_as_a_request_may_name(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = service.pictures.keep(picture(), "mine")
    chosen = {"ref": ref, "title": "mine"}
    choices = {**dict.fromkeys(ROLES), "style": chosen, "content": {**chosen, "more": [chosen] * 1000}}
    runs, message, field = start_each(service, fill_form(StyleOptions()), choices)
    assert (runs, field) == ([], "content")
    assert message == "at most 1000 photographs can be painted together, got 1001"
    monkeypatch.setattr(start_and_poll, "MOST_NAMED_RUNS", 2)
    choices["content"]["more"] = [chosen]
    assert len(start_each(service, fill_form(StyleOptions()), choices)[0]) == 2


@pytest.mark.parametrize(("extractor", "network"), [("auto", "vgg19"), ("compact", "compact")])
def test_a_layer_that_the_network_lacks_is_refused_at_start(service: Service, extractor: str, network: str) -> None:
    chosen = {"ref": service.pictures.keep(picture(), "mine"), "title": "mine"}
    choices = {**dict.fromkeys(ROLES), "content": chosen, "style": chosen}
    form = fill_form(StyleOptions(extractor=extractor, content_layers="nonsense=1"))
    runs, message, field = start_each(service, form, choices)
    assert (runs, field) == ([], "content_layers")
    assert f"Content layers: the {network} network has no layer 'nonsense'; it has block1_conv1, " in message
    assert service.store.runs() == []


def run_after(*events: Any, **options: Any) -> Run:
    given = StyleOptions(**options)
    run = Run("a" * 32, 0.0, given, "c", "s", epochs=given.most_epochs)
    for event in events:
        run = run.after(event)
    return run


def events_of(run: Run, *events: Any) -> list[dict[str, Any]]:
    """`events` with the numbers that the store gives them; the last one is the last one of the run."""
    first = run.last - len(events) + 1
    frames = [{"frame": event.epoch} if isinstance(event, Epoch) else {} for event in events]
    return [
        {"n": n, **event.to_json(), **frame} for n, (event, frame) in enumerate(zip(events, frames, strict=True), first)
    ]


STARTED = Started(extractor="compact", note="", width=64, height=48, epochs=40, steps=400)
STARTED_AUTO = Started(extractor="vgg19", note="", width=64, height=48, epochs=100, steps=1000, precision="bfloat16")


def epoch(n: int) -> Epoch:
    return epoch_event(n, losses=LOSSES, seconds=n / 2, steps_per_second=20.0, seconds_left=75.4, image=b"jpeg")


def test_a_queued_run_shows_its_place_in_the_queue() -> None:
    view = run_view.run_view(RunUpdate(run_after(), 2, [], SERVER), attached=False)
    assert view["status"] == "Queued: second in line."
    assert (view["start"], view["stop_off"], view["frames"]["kept"]) == ("Add to queue", False, [])
    assert view["image_frame"].endswith("waiting")


@pytest.mark.parametrize(
    ("worker", "error", "text"),
    [
        ("starting", "", "The worker is getting ready."),
        ("starting", "the worker ended unexpectedly", "The worker ended unexpectedly; a new one is getting ready."),
        (
            "lost",
            "the scheduler does not answer; trying again",
            "No worker: the scheduler does not answer; trying again.",
        ),
        ("closed", "", "The studio is closing."),
    ],
)
def test_a_queued_run_without_a_ready_worker_says_what_the_pill_of_the_worker_does(
    worker: str, error: str, text: str
) -> None:
    update = RunUpdate(run_after(), 1, [], SERVER | {"worker": worker, "error": error}, starts_in=61.0)
    assert status_text(update) == f"Queued: first in line. {text}"
    pill = run_view.server_view(update, None)["worker"]
    assert f"{pill[0].upper()}{pill[1:]}." == text


def test_every_new_frame_goes_to_the_player_and_the_figures_are_patched() -> None:
    events = (epoch(1), epoch(2), epoch(3))
    run = run_after(STARTED, epoch(0), *events)
    view = run_view.run_view(RunUpdate(run, 1, events_of(run, *events), SERVER), attached=True)
    assert (view["frames"]["play"], view["frames"]["result"]) == ([1, 2, 3], "")
    assert view["image"] is dash.no_update
    assert isinstance(view["loss"], dash.Patch)
    assert view["numbers"] == "Epoch 3 of 40 · 20 steps/s · 1 min 15 s left"
    assert (view["progress"], view["progress_max"]) == ("3", "40")


def test_a_page_opened_late_gets_whole_figures_and_the_last_frames() -> None:
    events = (STARTED, *map(epoch, range(21)))
    run = run_after(*events)
    view = run_view.run_view(RunUpdate(run, 1, events_of(run, *events), SERVER), attached=False)
    assert len(view["loss"]["data"][0]["x"]) == 21
    assert view["image"]["layout"]["xaxis"]["range"] == [0, 64]
    assert view["frames"]["play"] == list(range(9, 21))
    assert view["image"]["layout"]["images"][0]["source"].endswith("/frames/9.jpg")
    assert view["photograph"] == f"/api/v1/instant/runs/{run.id}.jpg"


def test_a_finished_run_that_is_opened_shows_its_result_at_once() -> None:
    events = (STARTED, *map(epoch, range(21)), Finished(seconds=9.0, image=b"png"))
    run = run_after(*events)
    view = run_view.run_view(RunUpdate(run, None, events_of(run, *events), SERVER), attached=False)
    assert (view["frames"]["play"], view["frames"]["name"]) == ([], "painting-aaaaaaaa")
    assert view["frames"]["result"].endswith(f"result.png?n={run.last}")
    assert view["image"]["layout"]["images"][0]["source"] == view["frames"]["result"]
    assert view["status"] == "Finished: 20 epochs in 9 s."


@pytest.mark.parametrize(
    ("content", "style", "stem"),
    [
        ("samples/lake", "samples/night-wind", "lake-night-wind"),
        ("Old bridge (2).JPEG", "Große Welle.png", "old-bridge-2-große-welle"),
        ("../../etc/passwd", "..", "passwd"),
        ("", "x" * 300 + ".png", "x" * 60),
        ("", "", "painting-aaaaaaaa"),
    ],
)
def test_files_are_named_after_their_pictures_and_epoch(content: str, style: str, stem: str) -> None:
    run = dataclasses.replace(run_after(STARTED, epoch(0), epoch(20)), names={"content": content, "style": style})
    assert file_stem(run) == stem
    assert run_file_name(run, "frames/20.jpg") == f"{stem}-epoch-20.jpg"


def test_a_run_that_converged_says_that_more_epochs_would_change_nothing() -> None:
    events = (STARTED, *map(epoch, range(21)), Finished(seconds=9.0, image=b"png", converged=True))
    run = run_after(*events)
    view = run_view.run_view(RunUpdate(run, None, events_of(run, *events), SERVER), attached=False)
    assert view["status"] == "Finished in 9 s: converged after epoch 20 of 40; more epochs change nothing visible."
    assert (view["progress"], view["progress_max"]) == ("20", "20")
    assert history.proposed_end(run) == "30"


def test_without_new_events_only_the_status_is_set() -> None:
    assert set(run_view.run_view(RunUpdate(run_after(), 1, [], SERVER), attached=True)) == {"status"}


@pytest.mark.parametrize("end", [Failed(error="the worker ended"), Interrupted(error="the server was stopped")])
def test_a_failed_or_interrupted_run_that_is_opened_shows_its_last_frame(end: Any) -> None:
    events = (STARTED, epoch(0), epoch(1), end)
    run = run_after(*events)
    view = run_view.run_view(RunUpdate(run, None, events_of(run, *events), SERVER), attached=False)
    assert (view["frames"]["play"], view["frames"]["result"]) == ([1], "")


def test_a_failed_run_says_why() -> None:
    run = run_after(STARTED, Failed(error="there was not enough memory"))
    assert status_text(RunUpdate(run, None, [], SERVER)) == "Failed: there was not enough memory"


def test_a_paused_run_can_be_resumed_or_stopped_and_another_one_started() -> None:
    run = run_after(STARTED, epoch(0), epoch(1), Paused(seconds=2.0, image=b"png"))
    view = run_view.run_view(RunUpdate(run, None, [], SERVER), attached=False)
    assert view["status"] == "Paused at epoch 1 of 40."
    assert (view["pause"], view["pause_off"], view["stop_off"], view["start"]) == ("Resume", False, False, "Start")
    assert (view["pause_color"], view["start_outline"], view["restart_class"]) == ("primary", True, "restart")
    assert (view["continue_off"], view["frames"]["result"] != "") == (True, True)


def test_the_last_epoch_that_is_typed_stays_until_the_run_has_ended() -> None:
    def shown(*events: Any, attached: bool = True) -> Any:
        run = run_after(STARTED, epoch(0), *events)
        update = RunUpdate(run, 1, events_of(run, *events), SERVER)
        return run_view.run_view(update, attached).get("to_epoch")

    assert shown(epoch(1), attached=False) == "40"
    assert shown(epoch(1)) is None
    assert shown(epoch(1), Finished(seconds=2.0, image=b"png")) == "11"


@pytest.mark.parametrize(("side", "sides"), [(512, [2048, 4096]), (2048, [4096]), (4096, [])])
def test_a_result_is_upscaled_to_larger_sides_only(side: int, sides: list[int]) -> None:
    run = run_after(
        dataclasses.replace(STARTED, width=side // 2, height=side), epoch(0), Finished(seconds=2.0, image=b"png")
    )
    view = run_view.run_view(RunUpdate(run, None, [], SERVER), attached=False)
    assert [option["value"] for option in view["upscaled_sides"]] == sides
    attached = run_view.run_view(RunUpdate(run, None, events_of(run, epoch(0)), SERVER), attached=True)
    assert "upscale_off" not in attached  # it may change only where the run's state does
    assert (view["upscaled_side"], view["upscale_off"]) == (sides[0] if sides else None, not sides)


def test_an_interrupted_run_says_that_it_can_be_continued() -> None:
    run = run_after(
        STARTED,
        epoch(0),
        Checkpointed(step=3, seconds=0.5, checkpoint=b"checkpoint"),
        Interrupted(error="the server was stopped"),
    )
    view = run_view.run_view(RunUpdate(run, None, [], SERVER), attached=False)
    assert view["status"] == "Interrupted: the server was stopped. Continue resumes it from its last checkpoint."
    assert (view["continue_off"], view["to_epoch"], view["pause_off"]) == (False, "40", True)


@pytest.mark.parametrize(
    ("events", "server", "expecting"),
    [
        ((), {}, True),
        ((STARTED, epoch(0)), {}, True),
        ((STARTED, epoch(0), Paused(seconds=0.7, image=b"png")), {}, False),
        ((STARTED, epoch(0), Finished(seconds=2.0, image=b"png")), {}, False),
        ((STARTED, epoch(0), Finished(seconds=2.0, image=b"png")), {"queue": [["another", "queued"]]}, True),
        ((STARTED, epoch(0), Finished(seconds=2.0, image=b"png")), {"worker": "starting"}, True),
        ((STARTED, epoch(0), Finished(seconds=2.0, image=b"png")), {"fetching": {"vgg19": {"outcome": ""}}}, True),
        (
            (STARTED, epoch(0), Finished(seconds=2.0, image=b"png")),
            {"fetching": {"vgg19": {"outcome": "broken"}}},
            False,
        ),
    ],
)
def test_a_change_is_expected_of_an_active_run_a_worker_or_a_download(
    events: tuple[Event, ...], server: dict[str, Any], expecting: bool
) -> None:
    assert RunUpdate(run_after(*events), None, [], SERVER | server).expecting is expecting
    assert RunUpdate(None, None, [], SERVER).expecting is False


def test_a_run_that_waits_for_a_graphics_card_says_so() -> None:
    run = dataclasses.replace(run_after(), gpu=True)
    assert "waits for a worker with a graphics card" in status_text(RunUpdate(run, 1, [], SERVER))
    assert status_text(RunUpdate(run, 1, [], SERVER | {"gpu": True})) == "Queued: first in line."


def test_a_run_that_waits_says_when_it_will_start() -> None:
    update = RunUpdate(run_after(), 2, [], SERVER, starts_in=61.0)
    assert status_text(update) == "Queued: second in line, starts in about 1 min."


def test_the_queue_is_shown_in_its_order_unless_it_is_only_the_run_that_is_shown(service: Service) -> None:
    photo, painting = (service.pictures.keep(picture(colour=colour), f"{colour}.png") for colour in ("teal", "red"))
    runs = [service.runs.start(StyleOptions(seed=seed), photo, painting) for seed in range(3)]
    entries = run_queue.queue_entries(service, "")
    view = run_queue.queue_view(entries, runs[0])
    assert view["queue_hidden"] is False
    tree = [each for item in view["queue"] for each in components(item)]
    states = [each.children for each in tree if isinstance(each, dash.html.Small)]
    assert states == ["first in line", "second in line", "third in line"]
    off = [(each.title, each.disabled) for each in tree if isinstance(each, dash.html.Button)]
    assert [title for title, disabled in off if disabled] == ["Paint sooner", "Paint later"]
    assert [each.href for each in tree if isinstance(each, dash.html.A)] == [f"/?run={run.id}" for run in runs]
    assert run_queue.queue_view(entries[:1], runs[0])["queue_hidden"] is True
    assert run_queue.queue_view([], None) == {"queue": [], "queue_hidden": True}


def test_quick_runs_are_one_entry_of_the_strip_which_agrees_with_the_status(service: Service) -> None:
    variations = Variations.parse(StyleOptions(), {"seed": "0,1,2"}, size=64)
    grid = service.variations.start(variations, {"content": "samples/owl", "style": "samples/night-wind"})
    run = service.runs.start(StyleOptions(), "samples/owl", "samples/night-wind")
    assert service.runs.queue_positions()[run.id] == 4
    view = run_queue.queue_view(run_queue.queue_entries(service, ""), run)
    assert view["queue_hidden"] is False
    tree = [each for item in view["queue"] for each in components(item)]
    texts = [each.children for each in tree if isinstance(each, (dash.html.Span, dash.html.Small))]
    assert texts == ["Variations, 3 quick runs", "first in line", service.runs.title(run.id), "fourth in line"]
    assert next(each.href for each in tree if isinstance(each, dash.html.A)) == f"/vary?run={run.id}#{grid.id}"
    passed = [getattr(each, "data-passed") for each in tree if isinstance(each, dash.html.Button)]
    assert passed == ["3", "0", "1"]
    service.queue.move(run.id, -int(passed[0]))
    assert service.runs.queue_positions()[run.id] == 1


def test_a_run_is_moved_past_what_waits_of_a_partly_painted_grid_and_back(service: Service) -> None:
    variations = Variations.parse(StyleOptions(), {"seed": "0,1,2"}, size=64)
    grid = service.variations.start(variations, {"content": "samples/owl", "style": "samples/night-wind"})
    service.store.append(grid.runs[0], STARTED)
    first, last = [service.runs.start(StyleOptions(seed=n), "samples/owl", "samples/night-wind") for n in (1, 2)]

    def shown() -> list[tuple[int, list[str]]]:
        """Of each entry, how many runs it has, and how many the buttons move it past: sooner, later."""
        entries = run_queue.queue_entries(service, "")
        items = [components(item) for item in run_queue.queue_view(entries, None)["queue"]]
        buttons = [[each for each in tree if isinstance(each, dash.html.Button)] for tree in items]
        passed = [[getattr(each, "data-passed") for each in found[:2]] for found in buttons]
        return [(len(entry.runs), moves) for entry, moves in zip(entries, passed, strict=True)]

    before = [(3, []), (1, ["2", "1"]), (1, ["1", "0"])]
    assert shown() == before
    service.queue.move(first.id, -2)
    assert shown() == [(1, []), (1, ["0", "2"]), (2, []), (1, ["2", "0"])]
    service.queue.move(last.id, -2)
    assert shown() == [(1, []), (1, ["0", "1"]), (1, ["1", "2"]), (2, [])]
    service.queue.move(last.id, 2)
    service.queue.move(first.id, 2)
    assert shown() == before


def test_a_restarted_run_takes_the_first_place_and_an_added_one_says_its_own(service: Service) -> None:
    photo, painting = (service.pictures.keep(picture(colour=colour), f"{colour}.png") for colour in ("teal", "red"))
    waiting, *restarted = [service.runs.start(StyleOptions(seed=seed), photo, painting) for seed in range(3)]
    assert added_text(service, restarted) == "2 runs added to the queue: second in line."
    service.runs.to_the_front(restarted)
    assert [run.id for run in service.runs.queue_of("")] == [run.id for run in (*restarted, waiting)]


def test_steering_is_marked_in_the_figure_of_the_losses() -> None:
    steered = Steered(
        step=11, epoch=1, changes={"strength": 2.0, "tv_weight": 3.0, "style_layers": {"block1_conv1": 1.0}}
    )
    run = run_after(STARTED, epoch(0), epoch(1), steered)
    whole = figures.losses(events_of(run, epoch(0), epoch(1), steered))
    mark = whole["layout"]["shapes"][1]
    words = "strength 2, smoothness weight 3, style layers block1_conv1 1"
    assert (mark["x0"], mark["x1"], mark["name"]) == (1, 1, words)
    assert figures.steering_lines(run) == [f"Epoch 1: {words}"]
    more = figures.more_losses(events_of(run, steered), 0, 40).to_plotly_json()["operations"]
    assert [each["params"]["value"] for each in more if each["location"] == ["layout", "shapes"]] == [[mark]]


def at_size(n: int, side: int) -> Epoch:
    return dataclasses.replace(epoch(n), width=side, height=side * 3 // 4)


def test_the_scales_are_marked_in_the_figure_of_the_losses_and_named_in_the_status() -> None:
    started = dataclasses.replace(STARTED, width=256, height=192)
    network = NETWORK_NAMES["compact"].replace("The", "the")
    assert status_text(RunUpdate(run_after(started), 1, [], SERVER)) == f"Running: {network} prepares to paint."
    events = (at_size(0, 64), at_size(1, 64), at_size(2, 128))
    run = run_after(started, *events)
    assert run.scales == ((0, 64), (2, 128))
    whole = figures.losses(events_of(run, *events), scales=run.scales)
    marks = [(mark["x0"], mark["label"]["text"]) for mark in whole["layout"]["shapes"][1:]]
    assert marks == [(0, "64 px"), (2, "128 px")]
    assert status_text(RunUpdate(run, 1, [], SERVER)) == f"Running: {network} paints at 128 px of 256."
    last = at_size(3, 256)
    run = run_after(started, *events, last)
    more = figures.more_losses(events_of(run, last), 0, 40, run.scales).to_plotly_json()["operations"]
    [added] = [each["params"]["value"] for each in more if each["location"] == ["layout", "shapes"]]
    assert [mark["label"]["text"] for mark in added] == ["256 px"]
    assert status_text(RunUpdate(run, 1, [], SERVER)) == f"Running: {network} paints at 256 × 192 px."


def test_the_last_losses_of_a_repeated_epoch_are_drawn() -> None:
    again = epoch_event(1, losses=Losses(9.0, 9.0, 9.0, 9.0), steps_per_second=20.0, seconds_left=1.0)
    events = [{"n": n, **event.to_json()} for n, event in enumerate((epoch(0), epoch(1), again))]
    trace = figures.losses(events)["data"][0]
    assert (trace["x"], trace["y"]) == ([0, 1], [3.0, 9.0])


# The card that steers -------------------------------------------------------------------------------------------------


def test_the_steering_card_shows_the_current_values_and_returns_only_changes() -> None:
    run = run_after(STARTED, epoch(0), Steered(step=3, epoch=0, changes={"strength": 2.0}), strength=1.0)
    tree = [each for field in steering.fields(run) for each in components(field)]
    found = [each for each in tree if isinstance(getattr(each, "id", None), dict)]
    values = {each.id["steer"]: each.value for each in found if each.id["part"] == "box"}
    assert (values["strength"], values["style_weight"], values["tv_weight"]) == ("2", "32", "12")
    assert {"style_layers.block1_conv1", "style_layers.block5_conv1", *steering.LIVE} <= values.keys()
    assert steering.changes(run, values) == {}
    assert steering.changes(run, {"strength": "2"}, in_force=True) == {"strength": 2.0}
    moved = values | {"strength": "0.5", "style_layers.block1_conv1": "0.9", "tv_weight": "much"}
    changes = steering.changes(run, moved)
    assert (changes["strength"], changes["tv_weight"], changes["style_layers"]["block1_conv1"]) == (0.5, "much", 0.9)
    assert list(changes["style_layers"]) == [layer for layer, _ in run.options.layers("compact")[1]]
    with pytest.raises(OptionError, match="`tv_weight` must be a number between"):
        run.options_now.steered(changes, "compact")
    good = {name: text for name, text in moved.items() if name != "tv_weight"}
    assert steering.validate(run, moved) == (
        good,
        ["Smoothness weight must be a number between 0 and 1000000, got 'much'"],
    )


def test_a_queued_run_can_be_steered_except_in_its_unknown_layers() -> None:
    assert len(steering.fields(run_after())) == len(steering.LIVE)


@pytest.mark.parametrize("text", ["-1", "12", "13.5", "many", "100000"])
def test_the_epoch_to_continue_to_is_after_the_last_one(text: str) -> None:
    with pytest.raises(OptionError, match="must be a whole number between 13 and 1012"):
        history.read_end(text, 12)
    assert (history.read_end(" 13 ", 12), history.read_end("1012", 12)) == (13, 1012)
    with pytest.raises(OptionError, match=r"^enter the epoch to go on to, a whole number between 13 and 1012$"):
        history.read_end("", 12)


def test_the_proposed_epoch_is_the_planned_end_or_some_more() -> None:
    stopped = run_after(STARTED, epoch(0), epoch(7), Stopped(seconds=2.0, image=b"png"))
    assert history.proposed_end(stopped) == "40"
    assert history.proposed_end(run_after(STARTED, epoch(0), epoch(40), Finished(seconds=2.0, image=b"png"))) == "50"


def test_the_server_state_is_sent_when_it_or_the_network_changed_but_not_at_every_epoch() -> None:
    run = run_after(STARTED, epoch(0), epoch(1))
    assert run_view.server_view(RunUpdate(run, 1, events_of(run, epoch(1)), SERVER), SERVER) == {}
    assert run_view.server_view(RunUpdate(run, 1, [], SERVER), SERVER | {"worker": "starting"})["worker"] == "ready"
    done = run_after(STARTED, epoch(0), Finished(seconds=1.0))
    view = run_view.server_view(RunUpdate(done, None, events_of(done, Finished(seconds=1.0)), SERVER), SERVER)
    network = {"extractor": "compact", "precision": "float32", "tiled": False, "note": "", "ended": True}
    assert view["server"]["run"] == network


def test_a_run_that_ends_by_itself_has_the_epochs_it_did() -> None:
    events = (STARTED_AUTO, epoch(0), epoch(1), Finished(seconds=9.0, image=b"png"))
    going, done = run_after(*events[:-1], epochs="auto"), run_after(*events, epochs="auto")
    view = run_view.run_view(RunUpdate(going, 1, events_of(going, epoch(1)), SERVER), attached=True)
    assert view["numbers"] == "Epoch 1 of at most 100 · 20 steps/s · at most 1 min 15 s left"
    assert (view["progress"], view["progress_max"]) == ("1", "100")
    view = run_view.run_view(RunUpdate(done, None, events_of(done, events[-1]), SERVER), attached=True)
    assert view["status"] == "Finished: 1 epoch in 9 s."
    assert view["numbers"] == "Epoch 1 of 1 · 9 s"
    assert view["progress"] == view["progress_max"] == "1"
    ranged = [each for each in view["loss"].to_plotly_json()["operations"] if each["location"][-1] == "range"]
    assert [each["params"]["value"] for each in ranged] == [[0, 1]]


def test_losses_are_drawn_on_a_logarithmic_axis_one_point_an_epoch() -> None:
    figure = figures.losses(events_of(run_after(STARTED, epoch(0)), epoch(0)))
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert [(trace["x"], trace["y"]) for trace in figure["data"]] == [
        ([0], [3.0]),
        ([0], [1.0]),
        ([0], [1.5]),
        ([0], [0.5]),
        ([0], [0.0]),
    ]


def test_the_losses_of_a_run_from_before_there_were_neighbors_are_drawn() -> None:
    early = epoch(1).to_json()
    del early["losses"]["neighbors"]
    assert [trace["y"] for trace in figures.losses([early])["data"]] == [[3.0], [1.0], [1.5], [0.5], [0.0]]


def test_the_figure_of_the_painting_has_no_buttons_and_no_zoom_of_its_own() -> None:
    assert figures.CONFIG == {"displayModeBar": False}
    assert all(figures.picture()["layout"][axis]["fixedrange"] for axis in ("xaxis", "yaxis"))


@pytest.mark.parametrize(
    ("search", "run_id"), [("?run=abc", "abc"), ("", ""), (None, ""), ("?x=1&run=b", "b"), ("?run=", "")]
)
def test_the_address_names_the_run(search: str | None, run_id: str) -> None:
    assert run_id_of(search) == run_id


@pytest.mark.parametrize(
    ("changes", "fills"),
    [
        ({}, True),
        ({"parent": "another", "first": 3}, True),  # a branch
        ({"init": "start.png"}, True),
        ({"variations": "a grid"}, False),
        ({"parent": "another", "init": "result"}, False),  # upscaled
        ({"fast": {"mix": {}}}, False),
    ],
)
def test_runs_whose_settings_were_made_in_the_form_fill_it(changes: dict[str, Any], fills: bool) -> None:
    run = Run(id="a", created=0.0, options=StyleOptions(), content="c", style="s", epochs=1, **changes)
    assert is_ordinary(run) == fills
