"""The order in which waiting runs are painted."""

import dataclasses
from collections.abc import Iterable

from nst.jobs.worker_pool.fair_order import fair_order
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


def test_a_client_whose_run_is_painted_comes_after_one_that_waits() -> None:
    first, *rest = runs("aab")
    assert order(fair_order([dataclasses.replace(first, state=State.RUNNING), *rest])) == "ba"
    assert order(fair_order([first, *rest], taken={"a0"})) == "ba"


def test_one_worker_paints_for_clients_in_turns() -> None:
    """Each run has ended by the time the next one is chosen."""
    waiting, turns, painted = runs("aaaabbb"), {}, ""
    for turn in range(1, 8):
        run = fair_order(waiting, turns=turns)[0]
        waiting.remove(run)
        turns[run.client] = turn
        painted += run.client
    assert painted == "abababa"


def test_only_queued_runs_wait() -> None:
    first, second = runs("ab")
    resting = dataclasses.replace(first, state=State.RUNNING), dataclasses.replace(second, state=State.PAUSED)
    assert fair_order(resting) == []
