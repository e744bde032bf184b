"""A studio whose data lie on a small disk that gets full. Only a user who may mount one can try it: root on Linux."""

import random
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.outcome import NotMeasured
from benchmarks.pictures import soft_colors
from benchmarks.siege.target import LONG, Target
from benchmarks.studio import studio

MEGABYTES = 24
MOST_UPLOADS = 100  # each of about half a megabyte


def full_disk() -> Iterator[str]:
    """Uploads until the disk is full, then a new start and a deletion; yields "" where the studio held, or what failed.

    Raises NotMeasured where no disk can be mounted, or it does not get full.
    """
    with small_disk() as folder:
        with studio(folder=folder) as running:
            target = Target(running)
            running.seconds_until(running.worker_warm)
            run = running.start_run(LONG)
            running.follow(run, "epoch", 1)
            running.send("POST", f"/api/v1/runs/{run}/stop", {})
            running.follow(run, "stopped")
            yield fill(target)
            yield answers(target, "while the disk is full")
        with studio(folder=folder) as running:
            target = Target(running)
            running.seconds_until(running.worker_warm)
            yield answers(target, "after a start with a full disk")
            answer = target.ask("DELETE", f"/api/v1/runs/{run}")
            yield "" if answer.status == 204 else f"a deletion was answered with {answer.status}: {answer.body[:200]!r}"


def fill(target: Target) -> str:
    """Upload pictures until one is refused; "" if it is refused with 507."""
    choose = random.Random(0)
    for n in range(MOST_UPLOADS):
        answer = target.send_file("/api/v1/uploads", _noise(choose), f"{n}.png")
        if answer.status != 201:
            right = answer.status == 507 and not answer.fault
            return "" if right else f"an upload was answered with {answer.status}: {answer.body[:200]!r}"
    raise NotMeasured(f"a disk of {MEGABYTES} MB took {MOST_UPLOADS} uploads")


def _noise(choose: random.Random) -> bytes:
    """A picture that is followed by half a megabyte, which no decoder reads."""
    return soft_colors(choose, 1.0) + choose.randbytes(500_000)


def answers(target: Target, when: str) -> str:
    """ "" if pages and routes are answered, or which is not."""
    for path in ("/api/v1/health", "/api/v1/runs", "/"):
        if (answer := target.ask("GET", path)).status != 200:
            return f"{path} {when}: status {answer.status}, {answer.body[:200]!r}"
    return ""


@contextmanager
def small_disk() -> Iterator[Path]:
    """A folder on a disk of `MEGABYTES`. Raises NotMeasured where this user may not mount one."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", folder]
        try:
            subprocess.run(command, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NotMeasured("no small disk: this user may not mount one") from error
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
