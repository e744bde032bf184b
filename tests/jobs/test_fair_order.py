"""Whose turn it is."""

import dataclasses
from collections.abc import Iterable

from nst.jobs.fair_order import fair_order
from nst.options.style_options import StyleOptions
from nst.runs.run import Run, State


def runs(clients: Iterable[str]) -> list[Run]:
    return [
        Run(f"{client}{number}", float(number), StyleOptions(), "c", "s", client=client)
        for number, client in enumerate(clients)
    ]


def order(found: Iterable[Run]) -> str:
    return "".join(run.client for run in found)


def test_clients_take_turns_and_each_ones_runs_go_in_order_of_arrival() -> None:
    found = fair_order(runs("aaabab"))
    assert order(found) == "ababaa"
    assert [run.id for run in found if run.client == "a"] == ["a0", "a1", "a2", "a4"]


def test_who_is_served_comes_after_who_waits() -> None:
    first, *rest = runs("aab")
    assert order(fair_order([dataclasses.replace(first, state=State.RUNNING), *rest])) == "ba"
    assert order(fair_order([first, *rest], taken={"a0"})) == "ba"


def test_one_worker_serves_clients_in_turns() -> None:
    """Each run has ended by the time the next one is chosen."""
    waiting, served, painted = runs("aaaabbb"), {}, ""
    for turn in range(1, 8):
        run = fair_order(waiting, served=served)[0]
        waiting.remove(run)
        served[run.client] = turn
        painted += run.client
    assert painted == "abababa"


def test_only_what_is_queued_waits() -> None:
    first, second = runs("ab")
    resting = dataclasses.replace(first, state=State.RUNNING), dataclasses.replace(second, state=State.PAUSED)
    assert fair_order(resting) == []
