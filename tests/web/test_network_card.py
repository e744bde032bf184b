"""The network card: which network a run uses or will use, and the download of its weights."""

from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component

from nst.runs.events import Fetching
from nst.web.components.form.network import INSTALLED, UNKNOWN, network_view

MISSING = {
    name: {"installed": False, "how": f"Run `nst weights fetch {name}`.", "fetchable": True}
    for name in ("vgg19", "vgg16")
}
NETWORKS = {"compact": INSTALLED, **MISSING}
BARE = UNKNOWN | {"networks": NETWORKS}
FETCHED = BARE | {"networks": NETWORKS | {"vgg19": INSTALLED}}
COMPACT = {"extractor": "compact", "precision": "", "tiled": False, "note": "VGG19 is missing.", "ended": False}
QUICK = {"chosen": "auto", "extractor": "vgg19", "why": "VGG19 is here and quick enough for this run."}
SLOW = {"chosen": "auto", "extractor": "compact", "why": "VGG19 would take about 4 min here; choose `vgg19`."}


def text_of(view: dict[str, Any]) -> str:
    """The text of the card."""
    return "".join(part if isinstance(part, str) else str(part.children or "") for part in view["text"])


def fetching(
    server: dict[str, Any], received: int, size: int, outcome: str = "", error: str = "", name: str = "vgg19"
) -> dict[str, Any]:
    """`server` with a download of these values."""
    event = Fetching(name=name, received=received, size=size, outcome=outcome, error=error)
    return server | {"fetching": {name: event.to_json()}}


@pytest.mark.parametrize(
    ("extractor", "words", "button"),
    [
        (
            "auto",
            "The built-in network will paint. It is quick and came with the studio. Run nst weights",
            "Fetch VGG19",
        ),
        ("compact", "The built-in network will paint. It is quick and came with the studio. ", None),
        ("vgg19", "VGG19 cannot paint yet: its weights are not here. Run nst weights fetch vgg19.", "Fetch VGG19"),
        ("vgg16", "VGG16 cannot paint yet: its weights are not here. Run nst weights fetch vgg16.", "Fetch VGG16"),
    ],
)
def test_the_card_follows_the_choice_and_names_missing_weights(extractor: str, words: str, button: str | None) -> None:
    view = network_view(BARE, extractor)
    assert text_of(view).startswith(words)
    assert view["fetch_hidden"] is (button is None)
    assert button in (None, view["fetch"])
    assert [part for part in view["text"] if isinstance(part, html.Code)] or button is None
    unfetchable = {name: network | {"fetchable": False} for name, network in NETWORKS.items()}
    assert network_view(BARE | {"networks": unfetchable}, extractor)["fetch_hidden"]


@pytest.mark.parametrize(
    ("extractor", "forecast", "words"),
    [
        ("auto", QUICK, "VGG19 will paint. VGG19 is here and quick enough for this run."),
        (
            "auto",
            SLOW,
            "The built-in network will paint all the same: VGG19 would take about 4 min here; choose vgg19.",
        ),
        ("auto", None, "VGG19 is here."),
        ("auto", QUICK | {"chosen": "compact"}, "VGG19 is here."),  # for an earlier choice
        ("vgg19", None, "VGG19 will paint."),
        ("vgg16", None, "VGG16 cannot paint yet"),
    ],
)
def test_an_installed_network_is_used_where_it_is_quick_enough(
    extractor: str, forecast: dict[str, Any] | None, words: str
) -> None:
    view = network_view(FETCHED, extractor, forecast)
    assert text_of(view).startswith(words)
    assert view["fetch_hidden"] is (extractor != "vgg16")


def test_networks_are_unknown_until_the_worker_reports_them() -> None:
    view = network_view(UNKNOWN, "vgg19")
    assert text_of(view) == "The worker will say which networks are there."
    assert view["fetch_hidden"]


def test_the_network_of_the_run_comes_before_that_of_the_next_run() -> None:
    assert text_of(network_view(BARE | {"run": COMPACT}, "vgg16")) == "The built-in network paints. VGG19 is missing."
    ended = {"run": COMPACT | {"ended": True}}
    done = BARE | ended
    assert (
        text_of(network_view(done, "auto"))
        == text_of(network_view(done, "compact"))
        == "The built-in network painted. VGG19 is missing."
    )
    assert text_of(network_view(done, "vgg16")).startswith("The built-in network painted. VGG16 cannot paint yet")
    assert text_of(network_view(FETCHED | ended, "auto", QUICK)).startswith(
        "The built-in network painted. VGG19 will paint."
    )
    assert text_of(network_view(FETCHED | ended, "auto", SLOW)).startswith(
        "The built-in network painted. The built-in network will paint all the same: VGG19 would take"
    )
    assert text_of(network_view(BARE | {"run": COMPACT | {"extractor": ""}}, "vgg16")).startswith("VGG16 cannot paint")


def test_precision_and_tiles_are_shown() -> None:
    large = COMPACT | {"precision": "bfloat16", "tiled": True}
    assert text_of(network_view(BARE | {"run": large}, "auto")).startswith(
        "The built-in network paints in bfloat16, by tiles. "
    )
    plain = COMPACT | {"precision": "float32", "ended": True}
    assert text_of(network_view(BARE | {"run": plain}, "auto")).startswith("The built-in network painted in float32. ")


def test_a_download_is_shown_for_the_network_that_is_chosen() -> None:
    going = fetching(BARE, 1_200_000, 80_134_624, name="vgg16")
    view = network_view(going, "vgg16")
    assert (view["fetch_hidden"], view["fetching_hidden"], view["cancel_hidden"]) == (True, False, False)
    assert view["fetch_text"] == "Fetching VGG16: 1 of 80 MB"
    assert (view["fetch_value"], view["fetch_max"]) == ("1200000", "80134624")
    assert network_view(going, "vgg19")["fetching_hidden"]
    assert network_view(fetching(BARE, 0, 0), "auto")["fetch_text"] == "Fetching VGG19 …"


def test_during_the_download_of_vgg19_the_card_names_the_network_in_use() -> None:
    going = fetching(BARE, 1, 2)
    assert text_of(network_view(going, "auto")) == "The built-in network will paint until VGG19 is here."
    note = "VGG19's weights are being fetched."
    assert (
        text_of(network_view(going | {"run": COMPACT | {"note": note}}, "auto"))
        == f"The built-in network paints. {note}"
    )


@pytest.mark.parametrize(
    ("forecast", "words"),
    [
        (QUICK, "VGG19 is ready: the next run paints with it."),
        (SLOW, "VGG19 is ready. The built-in network will paint all the same: VGG19 would take about 4 min here"),
        (None, "VGG19 is ready."),
    ],
)
def test_a_finished_download_is_reported(forecast: dict[str, Any] | None, words: str) -> None:
    view = network_view(fetching(FETCHED, 2, 2, "installed"), "auto", forecast)
    assert text_of(view).startswith(words)
    assert (view["fetch_hidden"], view["fetching_hidden"]) == (True, True)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("cancelled", " The download was cancelled, and will not begin again by itself."),
        ("broken", " VGG19 could not be fetched: the reason. Try again later."),
        ("refused", " VGG19 could not be fetched: the reason."),
    ],
)
def test_a_failed_download_is_reported_in_one_line_and_can_be_repeated(outcome: str, words: str) -> None:
    view = network_view(fetching(BARE, 1, 2, outcome, "the reason"), "auto")
    assert text_of(view) == f"The built-in network will paint. It is quick and came with the studio. {words}"
    assert (view["fetch_hidden"], view["fetching_hidden"]) == (False, True)


def test_a_shared_studio_has_no_cancel_button() -> None:
    assert network_view(fetching(BARE, 1, 2) | {"shared": True}, "auto")["cancel_hidden"]


def test_the_card_is_made_of_text_and_plain_components() -> None:
    assert all(isinstance(part, str | Component) for part in network_view(BARE, "auto")["text"])
