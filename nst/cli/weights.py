"""`nst weights`: show or fetch the weights of the networks that compare pictures."""

import argparse

from rich.console import Console
from rich.progress import Progress

from nst.options.layer_presets import FETCHED_NETWORKS, NETWORKS


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command with their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="which networks are here").set_defaults(command=_list, flags=())
    fetch = actions.add_parser("fetch", help="download and verify a network's weights")
    fetch.add_argument("name", choices=FETCHED_NETWORKS)
    fetch.set_defaults(command=_fetch, flags=())


def _list(parsed: argparse.Namespace) -> int:
    from nst.engine.networks import weights

    for name in NETWORKS:
        path = weights.locate(name)
        print(f"{name:8} {path or weights.how_to_get(name)}")
    return 0


def _fetch(parsed: argparse.Namespace) -> int:
    from nst.engine.networks import weights

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"fetching {parsed.name}", total=None)
        path = weights.fetch(parsed.name, lambda received, size: progress.update(task, completed=received, total=size))
    print(path)
    return 0
