"""Further paintings and a mask on the pages without a browser: the form's choices, the steering card, the gallery."""

from pathlib import Path

import pytest
from dash import no_update
from dash.development.base_component import Component

from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.picture_roles import ROLES
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures.samples import STYLES
from nst.runs.events import Steered
from nst.runs.humanize import GIGABYTE
from nst.runs.run import Run
from nst.web.components.form.chooser import CHOOSERS, choices_of_run
from nst.web.components.form.option_fields import fill_form, read_form
from nst.web.components.run import figures, steering
from nst.web.components.run_card import RunCard
from nst.web.service.service import Service
from tests.web.sites import picture


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A service whose queue was never started."""
    settings, store = Settings(data=tmp_path), Store(tmp_path)
    return Service(settings, store, Queue(settings, store), Archive(store, 2 * GIGABYTE))


def mixed(service: Service, **options: object) -> Run:
    """A queued run of a photograph, an uploaded painting, a sample, and a mask."""
    content, style, mask = (
        service.pictures.keep(picture(colour=colour), name)
        for colour, name in (("teal", "boat.jpg"), ("red", "wave.png"), ("white", "mask.png"))
    )
    sample = f"samples/{STYLES[1].name}"
    return service.runs.start(StyleOptions(**options), content, style, more_styles=[sample], mask=mask)


def test_a_chooser_is_there_for_every_picture_of_a_run() -> None:
    assert set(ROLES) <= set(CHOOSERS)


def test_choosers_of_what_a_run_does_not_have_are_emptied_or_keep_their_picture() -> None:
    choices = choices_of_run({"content": {"ref": "a"}, "style": {"ref": "b"}, "style2": {"ref": "c"}})
    assert [choices[role] for role in ("style3", "style4", "mask")] == [False, False, False]
    assert choices["style2"] == {"ref": "c"}
    assert choices["init"] is no_update


@pytest.mark.parametrize(
    "options", [StyleOptions(style_mix=[0.7, 1, 2], style_scales=[1, 0.5, 2], mask_use="strength")]
)
def test_numbers_of_paintings_survive_the_form(options: StyleOptions) -> None:
    assert fill_form(options)["style_mix"] == "0.7,1,2"
    assert StyleOptions.from_json(read_form(fill_form(options))) == options


def test_the_steering_card_has_a_slider_for_each_painting_and_changes_them_together(service: Service) -> None:
    run = mixed(service, style_mix=[2, 1])
    tree = [each for each in steering.fields(run) for each in each._traverse() if isinstance(each, Component)]
    boxes = {each.id["steer"]: each.value for each in tree if isinstance(getattr(each, "id", None), dict)
             and each.id["part"] == "box"}  # fmt: skip
    assert (boxes["style_mix.0"], boxes["style_mix.1"]) == ("2", "1")
    labels = [each.to_plotly_json()["props"].get("data-label") for each in steering.fields(run)]
    assert labels[:3] == ["Strength", "wave.png", STYLES[1].title]
    assert steering.changes(run, boxes) == {}
    assert steering.changes(run, boxes | {"style_mix.1": "4"}) == {"style_mix": [2, 4]}
    service.runs.steer(run.id, {"style_mix": [2, 4]})
    steered = service.store.run(run.id)
    assert steered.options_now.style_mix == (2.0, 4.0)
    assert figures.steering_lines(steered) == ["Epoch 0: style mix 2 : 4"]


def test_a_run_of_one_painting_has_no_slider_of_a_mix(service: Service) -> None:
    content, style = (service.pictures.keep(picture(colour=colour), colour) for colour in ("teal", "red"))
    run = service.runs.start(StyleOptions(), content, style)
    assert len(steering.fields(run)) == len(steering.LIVE)


def test_the_card_of_a_run_shows_every_painting_but_not_the_mask(service: Service) -> None:
    card = RunCard.of(service, mixed(service))
    assert list(card.pictures) == ["content", "style", "style2"]
    assert card.title == f"boat after wave and {STYLES[1].title}"


def test_the_event_of_a_changed_mix_is_a_list() -> None:
    assert Steered(step=3, epoch=1, changes={"style_mix": [1.0, 2.0]}).to_json()["changes"] == {"style_mix": [1.0, 2.0]}
