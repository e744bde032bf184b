"""`nst scheduler`: the address at which a studio and the workers of several machines meet."""

import argparse

HELP = "bring workers of several machines together"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_address(parser, "where to listen")


def run(parsed: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    from nst.jobs.worker_pool.cluster_node import serve_scheduler

    serve_scheduler(parsed.address)
    return 0


def add_address(parser: argparse.ArgumentParser, help: str) -> None:
    """Add the address of a scheduler, which is checked as it is parsed."""
    parser.add_argument("address", type=_address, metavar="ADDRESS", help=f"{help}: tcp://host:8786")


def _address(text: str) -> str:
    from nst.jobs.worker_pool.cluster_node import check_address

    check_address(text)
    return text
