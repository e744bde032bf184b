"""The order in which waiting runs are painted: clients take turns, and each one's runs go in order of arrival."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping

from nst.runs.run import Run, State


def fair_order(active: Iterable[Run], taken: Container[str] = (), turns: Mapping[str, int] | None = None) -> list[Run]:
    """The runs that wait, the next one first.

    Each round has one run of each client. In a round, clients that never had a worker come first, then those whose
    last run was given to one longest ago; of equals, the first to arrive.

    Args:
        active: runs that wait or are painted, in order of arrival.
        taken: ids of those that a worker has, whatever their state.
        turns: a number for each client, the higher the later its last run was given to a worker.
    """
    turns = turns or {}
    earlier: Counter[str] = Counter()  # runs of a client that come, or came, before
    keyed = []
    for number, run in enumerate(active):
        if run.state is State.QUEUED and run.id not in taken:
            keyed.append(((earlier[run.client], turns.get(run.client, 0), number), run))
        earlier[run.client] += 1
    return [run for _, run in sorted(keyed, key=lambda each: each[0])]
