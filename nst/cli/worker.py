"""`nst worker`: paint for the studio of a scheduler, on this machine."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from nst.cli.scheduler import add_address

HELP = "paint for the studio of a scheduler"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_address(parser, "of the scheduler")
    parser.add_argument("--name", help="what the scheduler calls this worker, and no other")
    parser.add_argument(
        "--gpu",
        action=argparse.BooleanOptionalAction,
        help="take runs that ask for a graphics card (by default if TensorFlow finds one)",
    )


def run(parsed: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    from nst.jobs.worker_pool.cluster_node import join

    gpu = parsed.gpu
    if gpu is None:  # found out in a process of its own, because TensorFlow would stay in the memory of this one
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            gpu = process.submit(_has_gpu).result()
    join(parsed.address, parsed.name, gpu)
    return 0


def _has_gpu() -> bool:
    from nst.engine.backend import tf

    return bool(tf.config.list_physical_devices("GPU"))
