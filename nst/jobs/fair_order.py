"""Whose turn it is: clients take turns, and each one's runs go in order of arrival."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping

from nst.runs.run import Run, State


def fair_order(active: Iterable[Run], taken: Container[str] = (), served: Mapping[str, int] | None = None) -> list[Run]:
    """The runs that wait, the next one first.

    Args:
        active: runs that wait or are painted, in order of arrival.
        taken: ids of those that are with a worker, whatever their state says.
        served: a number for each client, the higher the later it had its last turn.
    """
    served = served or {}
    ahead: Counter[str] = Counter()  # runs of a client that go, or went, before
    turns = []
    for number, run in enumerate(active):
        if run.state is State.QUEUED and run.id not in taken:
            turns.append((ahead[run.client], served.get(run.client, 0), number, run))
        ahead[run.client] += 1
    return [run for *_, run in sorted(turns, key=lambda turn: turn[:3])]
