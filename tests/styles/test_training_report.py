import re
from html.parser import HTMLParser

import numpy as np

from nst.pictures.images import encode_jpeg
from nst.styles.training_report import MOST_SHOWN, Look, Subject, page

PICTURE = encode_jpeg(np.full((16, 16, 3), 0.5, np.float32))
WAVES = Subject("waves", "Waves & <Foam>", PICTURE)


class Tags(HTMLParser):
    """What a page is made of; checks that what is opened is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def count(self, tag: str) -> int:
        return sum(tag == name for name, _ in self.found)


def looks(count: int) -> list[Look]:
    return [
        Look(
            100 * n,
            60.0 * n,
            {"total": 3.0 / (n + 1), "content": 1.0, "style": 0.5 / (n + 1), "tv": 0.0},
            {"waves": PICTURE},
        )
        for n in range(count)
    ]


def made(count: int = 3, running: bool = False) -> str:
    told = {"Settings": {"minutes": 60.0, "steps": None}, "Machine": {"nst": "1 < 2"}}
    return page([WAVES], PICTURE if count else b"", looks(count), "Ended: step 200.", told, running)


def test_the_page_holds_everything_itself() -> None:
    text = made()
    tags = Tags(text)
    assert "script" not in {tag for tag, _ in tags.found}
    addresses = [value for _, given in tags.found for name, value in given.items() if name in ("src", "href")]
    assert addresses
    assert all(address and address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert "http:" not in text
    assert "https:" not in text


def test_each_loss_has_a_curve_with_a_point_for_each_look() -> None:
    tags = Tags(made(3))
    assert (tags.count("svg"), tags.count("circle")) == (4, 12)
    labels = [given["aria-label"] for tag, given in tags.found if tag == "svg"]
    assert labels[0] == "Total: from 3 to 1"
    total = re.search('points="([^"]+)"', made(3))
    assert total is not None
    heights = [float(point.split(",")[1]) for point in total[1].split()]
    assert heights == sorted(heights)  # a loss that falls goes down the page
    assert heights[0] < heights[-1]


def test_previews_stand_in_order_behind_the_style_and_the_photo() -> None:
    captions = re.findall("<figcaption><b>([^<]+)</b>", made(3))[4:]
    assert captions == ["the style", "the photo", "step 0", "step 100", "step 200"]


def test_of_many_previews_some_are_left_out_but_never_the_last() -> None:
    steps = re.findall(r"<b>step (\d+)</b>", made(100))
    assert len(steps) <= MOST_SHOWN + 1
    assert (steps[0], steps[-1]) == ("0", "9900")


def test_words_of_others_are_shown_as_they_are() -> None:
    text = made()
    assert "Waves &amp; &lt;Foam&gt;" in text
    assert "<td>1 &lt; 2</td>" in text
    assert "<td>automatic</td>" in text


def test_only_the_page_of_a_running_training_loads_itself_anew() -> None:
    assert 'http-equiv="refresh"' in made(running=True)
    assert 'http-equiv="refresh"' not in made()


def test_there_is_a_page_before_the_first_look() -> None:
    assert Tags(made(0)).count("svg") == 0
