"""The sample pictures as a server shows them. Each takes seconds to draw: a process beside it does so, once."""

import os
import signal
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from nst import samples
from nst.errors import NotFound, OptionError
from nst.samples import Sample

CONTENTS, STYLES = samples.CONTENTS, samples.STYLES
# Those that the page opens with come first.
ORDER = (CONTENTS[0], STYLES[0], *CONTENTS[1:], *STYLES[1:])
SIDES = (128, 512)  # px of the thumbnails that the page shows
NICENESS = 15  # more than the worker's: what it paints is waited for
GLANCE = 0.2  # seconds between two looks whether the process is still there


class Samples:
    """Samples and their thumbnails, kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: BaseProcess | None = None
        self._drawn: dict[str, Event] = {}

    def start(self) -> None:
        """Have all samples drawn behind the caller's back."""
        context = get_context("spawn")
        self._drawn = {sample.name: context.Event() for sample in ORDER}
        self._process = context.Process(target=draw_all, args=(self._folder, self._drawn), daemon=True)
        self._process.start()

    def close(self) -> None:
        """Draw no more. May be called again."""
        if self._process is not None:
            self._process.terminate()
            self._process.join()

    def sample(self, name: str) -> Sample:
        """The sample called `name`. Raises NotFound."""
        try:
            return samples.find(name)
        except OptionError as error:
            raise NotFound(str(error)) from error

    def path(self, name: str) -> Path:
        """The PNG of a sample; waits until it is drawn. Raises NotFound."""
        return samples.path_of(self._wait(name), self._folder)

    def thumbnail(self, name: str, side: int) -> Path:
        """The JPEG of a sample within `side` x `side` px; waits until it is drawn. Raises NotFound."""
        return samples.thumbnail_of(self._wait(name), self._folder, side)

    def _wait(self, name: str) -> Sample:
        """The sample, drawn by the process; without one, whoever asked draws it."""
        sample = self.sample(name)
        while self._process and self._process.is_alive() and not self._drawn[name].wait(GLANCE):
            pass
        return sample


def yield_to_the_server() -> None:
    """Make this process the server's helper: it yields the processor to others, and ends with the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's business, which ends this process
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def draw_all(folder: Path, drawn: Mapping[str, Event]) -> None:
    """Draw every sample that is not there, with its thumbnails, and say so one by one."""
    yield_to_the_server()
    for sample in ORDER:
        for side in SIDES:
            samples.thumbnail_of(sample, folder, side)
        drawn[sample.name].set()
