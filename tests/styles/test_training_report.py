import re
from html.parser import HTMLParser

import numpy as np

from nst.pictures.images import encode_jpeg
from nst.styles.style_to_learn import StyleToLearn
from nst.styles.training_report import MOST_SHOWN, Preview, report_page

PICTURE = encode_jpeg(np.full((16, 16, 3), 0.5, np.float32))
WAVES = StyleToLearn("waves", "Waves & <Foam>", np.zeros((16, 16, 3), np.float32), PICTURE, "")


class Tags(HTMLParser):
    """The tags of a page; checks that each opened tag is closed in turn."""

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


def previews(count: int) -> list[Preview]:
    return [
        Preview(
            100 * n,
            60.0 * n,
            {"total": 3.0 / (n + 1), "content": 1.0, "style": 0.5 / (n + 1), "tv": 0.0},
            {"waves": PICTURE},
        )
        for n in range(count)
    ]


def made(count: int = 3, running: bool = False) -> str:
    tables = {"Settings": {"minutes": 60.0, "steps": None}, "Machine": {"nst": "1 < 2"}}
    return report_page([WAVES], PICTURE if count else b"", previews(count), "Ended: step 200.", tables, running)


def test_the_page_refers_to_no_other_file() -> None:
    text = made()
    tags = Tags(text)
    assert "script" not in {tag for tag, _ in tags.found}
    addresses = [value for _, given in tags.found for name, value in given.items() if name in ("src", "href")]
    assert addresses
    assert all(address and address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert "http:" not in text
    assert "https:" not in text


def test_each_loss_has_a_curve_with_a_point_for_each_preview() -> None:
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


def test_titles_and_values_are_escaped() -> None:
    text = made()
    assert "Waves &amp; &lt;Foam&gt;" in text
    assert "<td>1 &lt; 2</td>" in text
    assert "<td>automatic</td>" in text


def test_only_the_page_of_a_running_training_reloads_itself() -> None:
    assert 'http-equiv="refresh"' in made(running=True)
    assert 'http-equiv="refresh"' not in made()


def test_there_is_a_page_before_the_first_preview() -> None:
    assert Tags(made(0)).count("svg") == 0
