"""What is read off the curves of a race, and how they are kept and drawn."""

import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.chart import OUR_COLORS, chart
from benchmarks.curves import Curve, duel, loss_at, own_time, read, table, time_to, write


def curve_of(title: str, seconds: list[float], losses: list[float]) -> Curve:
    columns = {"total": losses, "content": [loss / 4 for loss in losses], "style": [3 * loss / 4 for loss in losses]}
    steps = [10 * i for i in range(len(losses))]
    work = [float(step) for step in steps]
    return Curve(title, "noise", steps, work, seconds, {"compact": columns}, finished=True)


def test_times_and_losses_are_read_between_rows_in_proportion() -> None:
    seconds, losses = [0.0, 1.0, 2.0, 4.0], [1000.0, 100.0, 10.0, 1.0]
    assert time_to(seconds, losses, 1000) == 0
    assert time_to(seconds, losses, math.sqrt(1000) * 10) == pytest.approx(0.5)
    assert time_to(seconds, losses, 1) == pytest.approx(4)
    assert time_to(seconds, losses, 0.5) is None
    assert loss_at(seconds, losses, 3) == pytest.approx(math.sqrt(10))
    assert loss_at(seconds, losses, 99) == 1
    assert loss_at([0.5, 1.0], [3.0, 2.0], 0.1) is None


@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=12, unique=True), st.data())
@settings(max_examples=50, deadline=None)
def test_the_time_to_a_loss_and_the_loss_at_that_time_are_inverse(losses: list[float], data: st.DataObject) -> None:
    losses = sorted(losses, reverse=True)
    seconds = [float(i) for i in range(len(losses))]
    loss = math.exp(data.draw(st.floats(math.log(losses[-1]), math.log(losses[0]))))
    moment = time_to(seconds, losses, max(loss, losses[-1]))
    assert moment is not None
    assert loss_at(seconds, losses, moment) == pytest.approx(max(loss, losses[-1]), rel=1e-6)


def test_a_loops_own_time_is_when_it_came_down_to_its_last_loss() -> None:
    assert own_time(curve_of("overshoots", [0, 1, 2, 3], [50, 900, 30, 100]), "compact") == pytest.approx(
        1.646, abs=0.01
    )
    assert own_time(curve_of("only rises", [0, 1, 2], [50, 60, 70]), "compact") == 2


def test_a_duel_compares_the_times_to_one_loss() -> None:
    its, ours = curve_of("its", [0, 10, 20], [1000, 100, 50]), curve_of("ours", [0, 1, 2], [1000, 50, 20])
    found = duel(its, ours, "compact")
    assert (found.loss, found.its_seconds, found.our_seconds, found.our_loss) == (50, 20, 1, 20)
    assert found.ratio == pytest.approx(0.05)
    assert found.its_loss == pytest.approx(1000 * 0.1**0.2)  # two of the ten seconds to a tenth of its loss
    assert found.our_last == 20
    assert duel(ours, its, "compact").ratio is None


def test_the_table_has_every_loop_and_counts_the_aims() -> None:
    curves = {
        "keras": curve_of("Keras", [0, 10, 20], [1000, 100, 50]),
        "tensorflow": curve_of("Tutorial", [0, 1, 2], [10, 20, 30]),
        "ours": curve_of("ours", [0, 1, 2], [1000, 50, 20]),
    }
    text = table(curves, ["compact"])
    assert "| Keras | noise | 1 | 20 | 20 | 20 | 50 | 12.5 | 37.5 |" in text
    assert "| Keras | 50 | 20 | 1 | 1/20.0 | 20 | 631 |" in text
    assert "1 of 2 loops in at most a tenth of their time" in text
    assert "a lower loss than 2 of 2 when ours ends, and than 2 when the loop itself ends" in text
    assert "which is not what it aims at: Tutorial." in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows[:5]}) == 1


def test_written_curves_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "results" / "race.json"
    curve = curve_of("ours", [0, 1.23456789], [1000, 50])
    write(path, {"machine": {}, "conditions": {"size": 64}, "loops": {"ours": curve}})
    kept = read(path)
    assert kept["loops"]["ours"].seconds == [0, 1.2346]
    assert kept["loops"]["ours"].finished
    assert '"total": [ 1000, 50 ]' in path.read_text()
    assert list(path.parent.iterdir()) == [path]
    assert read(tmp_path / "nothing.json") == {}


def test_the_chart_is_well_formed_names_every_loop_and_draws_ours_last_and_boldest() -> None:
    curves = {
        "ours": curve_of("ours", [0.0, 1, 20], [1e6, 5e3, 20]),
        "keras": curve_of("Keras <SGD>", [0.5, 9, 90], [1e6, 1e5, 50]),
    }
    text = chart(curves, "compact", "Loss against time\nhere & now")
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    lines = [
        line.attrib["style"]
        for group in root.iter(f"{space}g")
        if group.attrib.get("id") == "axes_1"
        for line in group.findall(f"{space}g/{space}path")
        if "clip-path" in line.attrib and "stroke-width" in line.attrib["style"]
    ]
    widths = [float(re.search(r"stroke-width: ([\d.]+)", line)[1]) for line in lines]  # type: ignore[index]
    assert widths == [1.6, 3.2]
    assert OUR_COLORS[0] in lines[-1]
    names = [found.text for found in root.iter(f"{space}text")]
    assert [name for name in names if name in ("ours", "Keras <SGD>")] == ["Keras <SGD>", "ours"]  # by the last loss
    assert "here & now" in names
    assert text == chart(curves, "compact", "Loss against time\nhere & now")
