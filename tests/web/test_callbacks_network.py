"""The painter's card: which network paints or will, and how its weights come here."""

from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component

from nst.runs.events import Fetching
from nst.web.callbacks.network import HERE, NOTHING_KNOWN, card

MISSING = {
    name: {"installed": False, "how": f"Run `nst weights fetch {name}`.", "fetchable": True}
    for name in ("vgg19", "vgg16")
}
NETWORKS = {"compact": HERE, **MISSING}
BARE = NOTHING_KNOWN | {"networks": NETWORKS}
FETCHED = BARE | {"networks": NETWORKS | {"vgg19": HERE}}
COMPACT = {"extractor": "compact", "precision": "", "tiled": False, "note": "VGG19 is missing.", "ended": False}
QUICK = {"asked": "auto", "extractor": "vgg19", "why": "VGG19 is here and quick enough for this run."}
SLOW = {"asked": "auto", "extractor": "compact", "why": "VGG19 would take about 4 min here; choose `vgg19`."}


def said(view: dict[str, Any]) -> str:
    """The card as one reads it."""
    return "".join(part if isinstance(part, str) else str(part.children or "") for part in view["painter"])


def fetching(studio: dict[str, Any], *values: Any, name: str = "vgg19") -> dict[str, Any]:
    """`studio` with a download that stands as `values` say."""
    return studio | {"fetching": {name: Fetching(name, *values).to_json()}}


@pytest.mark.parametrize(
    ("extractor", "words", "button"),
    [
        (
            "auto",
            "The compact network will paint. It is quick and came with the studio. Run nst weights",
            "Fetch VGG19",
        ),
        ("compact", "The compact network will paint. It is quick and came with the studio. ", None),
        ("vgg19", "VGG19 cannot paint yet: its weights are not here. Run nst weights fetch vgg19.", "Fetch VGG19"),
        ("vgg16", "VGG16 cannot paint yet: its weights are not here. Run nst weights fetch vgg16.", "Fetch VGG16"),
    ],
)
def test_the_card_follows_the_choice_and_says_what_is_missing(extractor: str, words: str, button: str | None) -> None:
    view = card(BARE, extractor)
    assert said(view).startswith(words)
    assert view["fetch_hidden"] is (button is None)
    assert button in (None, view["fetch"])
    assert [part for part in view["painter"] if isinstance(part, html.Code)] or button is None
    unfetchable = {name: network | {"fetchable": False} for name, network in NETWORKS.items()}
    assert card(BARE | {"networks": unfetchable}, extractor)["fetch_hidden"]


@pytest.mark.parametrize(
    ("extractor", "forecast", "words"),
    [
        ("auto", QUICK, "VGG19 will paint. VGG19 is here and quick enough for this run."),
        ("auto", SLOW, "The compact network will paint all the same: VGG19 would take about 4 min here; choose vgg19."),
        ("auto", None, "VGG19 is here."),
        ("auto", QUICK | {"asked": "compact"}, "VGG19 is here."),  # of what was chosen before
        ("vgg19", None, "VGG19 will paint."),
        ("vgg16", None, "VGG16 cannot paint yet"),
    ],
)
def test_a_network_that_is_here_paints_where_it_is_quick_enough(
    extractor: str, forecast: dict[str, Any] | None, words: str
) -> None:
    view = card(FETCHED, extractor, forecast)
    assert said(view).startswith(words)
    assert view["fetch_hidden"] is (extractor != "vgg16")


def test_nothing_is_said_of_networks_before_the_worker_has() -> None:
    view = card(NOTHING_KNOWN, "vgg19")
    assert said(view) == "The worker will say which networks are there."
    assert view["fetch_hidden"]


def test_a_run_is_told_first_and_what_is_chosen_for_the_next_one_after_it() -> None:
    assert said(card(BARE | {"run": COMPACT}, "vgg16")) == "The compact network paints. VGG19 is missing."
    ended = {"run": COMPACT | {"ended": True}}
    done = BARE | ended
    assert said(card(done, "auto")) == said(card(done, "compact")) == "The compact network painted. VGG19 is missing."
    assert said(card(done, "vgg16")).startswith("The compact network painted. VGG16 cannot paint yet")
    assert said(card(FETCHED | ended, "auto", QUICK)).startswith("The compact network painted. VGG19 will paint.")
    assert said(card(FETCHED | ended, "auto", SLOW)).startswith(
        "The compact network painted. The compact network will paint all the same: VGG19 would take"
    )
    assert said(card(BARE | {"run": COMPACT | {"extractor": ""}}, "vgg16")).startswith("VGG16 cannot paint")


def test_the_precision_and_the_tiles_are_told() -> None:
    large = COMPACT | {"precision": "bfloat16", "tiled": True}
    assert said(card(BARE | {"run": large}, "auto")).startswith("The compact network paints in bfloat16, by tiles. ")
    plain = COMPACT | {"precision": "float32", "ended": True}
    assert said(card(BARE | {"run": plain}, "auto")).startswith("The compact network painted in float32. ")


def test_a_download_is_shown_for_the_network_that_is_chosen() -> None:
    going = fetching(BARE, 1_200_000, 80_134_624, name="vgg16")
    view = card(going, "vgg16")
    assert (view["fetch_hidden"], view["fetching_hidden"], view["cancel_hidden"]) == (True, False, False)
    assert view["fetch_text"] == "Fetching VGG16: 1 of 80 MB"
    assert (view["fetch_value"], view["fetch_max"]) == ("1200000", "80134624")
    assert card(going, "vgg19")["fetching_hidden"]
    assert card(fetching(BARE, 0, 0), "auto")["fetch_text"] == "Fetching VGG19 …"


def test_as_long_as_vgg19_is_on_its_way_the_card_says_who_paints() -> None:
    going = fetching(BARE, 1, 2)
    assert said(card(going, "auto")) == "The compact network will paint until VGG19 is here."
    note = "VGG19's weights are being fetched."
    assert said(card(going | {"run": COMPACT | {"note": note}}, "auto")) == f"The compact network paints. {note}"


@pytest.mark.parametrize(
    ("forecast", "words"),
    [
        (QUICK, "VGG19 is ready: the next run paints with it."),
        (SLOW, "VGG19 is ready. The compact network will paint all the same: VGG19 would take about 4 min here"),
        (None, "VGG19 is ready."),
    ],
)
def test_a_download_that_is_done_says_so(forecast: dict[str, Any] | None, words: str) -> None:
    view = card(fetching(FETCHED, 2, 2, "installed"), "auto", forecast)
    assert said(view).startswith(words)
    assert (view["fetch_hidden"], view["fetching_hidden"]) == (True, True)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("cancelled", " The download was cancelled, and will not begin again by itself."),
        ("broken", " VGG19 could not be fetched: the reason. Try again later."),
        ("refused", " VGG19 could not be fetched: the reason."),
    ],
)
def test_a_download_that_brought_nothing_is_one_quiet_line_and_can_be_asked_for(outcome: str, words: str) -> None:
    view = card(fetching(BARE, 1, 2, outcome, "the reason"), "auto")
    assert said(view) == f"The compact network will paint. It is quick and came with the studio. {words}"
    assert (view["fetch_hidden"], view["fetching_hidden"]) == (False, True)


def test_where_several_people_share_a_studio_no_page_cancels() -> None:
    assert card(fetching(BARE, 1, 2) | {"many": True}, "auto")["cancel_hidden"]


def test_the_card_is_made_of_text_and_plain_components() -> None:
    assert all(isinstance(part, str | Component) for part in card(BARE, "auto")["painter"])
