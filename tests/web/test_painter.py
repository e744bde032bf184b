"""The painter's card: which network paints or will, and how to get its weights."""

from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component

from nst.events import Fetching
from nst.web.painter import NOTHING_KNOWN, card

HERE = {"installed": True, "how": ""}
MISSING = {name: {"installed": False, "how": f"Run `nst weights fetch {name}`."} for name in ("vgg19", "vgg16")}
NETWORKS = {"compact": HERE, **MISSING}
BARE = NOTHING_KNOWN | {"networks": NETWORKS}
COMPACT = {"extractor": "compact", "precision": "", "tiled": False, "note": "VGG19 is missing.", "ended": False}


def said(view: dict[str, Any]) -> str:
    """The card as one reads it."""
    return "".join(part if isinstance(part, str) else str(part.children or "") for part in view["painter"])


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
    assert card(BARE | {"offline": True}, extractor)["fetch_hidden"]


@pytest.mark.parametrize(
    ("extractor", "words"),
    [("auto", "VGG19 is here and will paint"), ("vgg19", "VGG19 will paint."), ("vgg16", "cannot")],
)
def test_a_network_that_is_here_paints(extractor: str, words: str) -> None:
    view = card(BARE | {"networks": NETWORKS | {"vgg19": HERE}}, extractor)
    assert words in said(view)
    assert view["fetch_hidden"] is (extractor != "vgg16")


def test_nothing_is_said_of_networks_before_the_worker_has() -> None:
    view = card(NOTHING_KNOWN, "vgg19")
    assert said(view) == "The worker will say which networks are there."
    assert view["fetch_hidden"]


def test_a_run_is_told_first_and_what_is_chosen_for_the_next_one_after_it() -> None:
    assert said(card(BARE | {"run": COMPACT}, "vgg16")) == "The compact network paints. VGG19 is missing."
    done = BARE | {"run": COMPACT | {"ended": True}}
    assert said(card(done, "auto")) == said(card(done, "compact")) == "The compact network painted. VGG19 is missing."
    assert said(card(done, "vgg16")).startswith("The compact network painted. VGG16 cannot paint yet")
    fetched = done | {"networks": NETWORKS | {"vgg19": HERE}}
    assert said(card(fetched, "auto")).startswith("The compact network painted. VGG19 is here and will paint")
    assert said(card(BARE | {"run": COMPACT | {"extractor": ""}}, "vgg16")).startswith("VGG16 cannot paint")


def test_the_precision_and_the_tiles_are_told() -> None:
    large = COMPACT | {"precision": "bfloat16", "tiled": True}
    assert said(card(BARE | {"run": large}, "auto")).startswith("The compact network paints in bfloat16, by tiles. ")
    plain = COMPACT | {"precision": "float32", "ended": True}
    assert said(card(BARE | {"run": plain}, "auto")).startswith("The compact network painted in float32. ")


def test_a_download_is_shown_for_the_network_that_is_chosen() -> None:
    going = BARE | {"fetching": {"vgg16": Fetching("vgg16", 2**20, 80 * 2**20).to_json()}}
    view = card(going, "vgg16")
    assert (view["fetch_hidden"], view["fetching_hidden"]) == (True, False)
    assert view["fetch_text"] == "Fetching VGG16: 1 of 80 MB"
    assert (view["fetch_value"], view["fetch_max"]) == (str(2**20), str(80 * 2**20))
    assert card(going, "vgg19")["fetching_hidden"]
    failed = Fetching("vgg16", 0, 0, done=True, error="the network is down").to_json()
    assert said(card(BARE | {"fetching": {"vgg16": failed}}, "vgg16")).endswith("the network is down")


def test_the_card_is_made_of_text_and_plain_components() -> None:
    assert all(isinstance(part, str | Component) for part in card(BARE, "auto")["painter"])
