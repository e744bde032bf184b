import pytest

from nst.runs import humanize


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (3720, "1 h 02 min")],
)
def test_durations_are_worded(seconds: float, words: str) -> None:
    assert humanize.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (4.4, "4 s"),
        (43, "45 s"),
        (58.9, "1 min"),
        (127, "2 min 10 s"),
        (301, "5 min"),
        (847, "14 min"),
        (3590, "1 h"),
        (4000, "1 h 05 min"),
        (7200, "2 h"),
    ],
)
def test_estimates_are_rounded(seconds: float, words: str) -> None:
    assert humanize.roughly(seconds) == words


def test_counts_positions_and_memory_are_worded() -> None:
    assert [humanize.count(number, "epoch") for number in (0, 1, 2)] == ["0 epochs", "1 epoch", "2 epochs"]
    assert [humanize.ordinal(number) for number in (1, 10, 11, 21, 22, 33, 112)] == [
        *("first", "tenth", "11th", "21st", "22nd", "33rd", "112th")
    ]
    assert [humanize.gigabytes(number) for number in (1_140_000_000, 49_000_000)] == ["1.1 GB", "0.0 GB"]
