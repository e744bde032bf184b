"""Crops of the photos in a folder, for training: read in a thread, cut and mirrored at random."""

import math
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst.errors import ImageError, InputError
from nst.pictures import images

Array = NDArray[np.float32]

BATCHES_AHEAD = 4  # that the thread makes before they are requested
LARGEST_PIECE = 1.8  # times the side of a crop: the side of the largest piece that is reduced to one
HELD_OUT = 8  # photos that are never trained on, at most
CLOSED_CHECK_SECONDS = 0.2  # between two checks of the thread whether the iterator has been closed


class Photos:
    """Crops of the photos in a folder and its subfolders; some photos are held out from the training.

    Args:
        folder: of photos.
        crop: side of a crop, px.
        seed: decides which photos are held out, and the crops.
        report: gets a line about each file that is left out because it is no picture or smaller than a crop; a file is
            only read when its turn comes.

    Raises InputError if there is no folder, or no photo in it.
    """

    def __init__(self, folder: Path, crop: int, seed: int, report: Callable[[str], None]) -> None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {str(folder)!r} of photos to train on")
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES and path.is_file())
        if not paths:
            raise InputError(f"the folder {str(folder)!r} must have photos to train on, but there is none")
        np.random.default_rng(seed).shuffle(paths)
        held_out = min(HELD_OUT, len(paths) // 2)
        self._crop, self._seed, self._report = crop, seed, report
        self._held_out, self._training = paths[:held_out], paths[held_out:]
        self.folder, self.count = folder.resolve().name, len(paths)

    def held_out(self) -> Array:
        """The center squares of the held-out photos, [n, crop, crop, 3] in 0..1, n at most `HELD_OUT`.

        If none of these can be read, or the folder has one photo, it is one crop of a photo to train on.
        """
        found = [crop for crop in map(self._center_square, self._held_out) if crop is not None]
        return np.stack(found) if found else next(self._batches(1, 0))

    def batches(self, size: int, start: int = 0) -> Iterator[Array]:
        """Endless batches of crops to train on, made by a thread until the iterator is closed.

        Args:
            size: crops in a batch.
            start: number of batches that the training has had; another one gives other crops.

        Yields:
            [size, crop, crop, 3] in 0..1.

        Raises:
            InputError: no photo is left that can be read.
        """
        ready: queue.Queue[Array | Exception] = queue.Queue(BATCHES_AHEAD)
        closed = threading.Event()

        def put(batch: Array | Exception) -> None:
            while not closed.is_set():
                with suppress(queue.Full):
                    ready.put(batch, timeout=CLOSED_CHECK_SECONDS)
                    return

        def fill() -> None:
            try:
                for batch in self._batches(size, start):
                    put(batch)
                    if closed.is_set():
                        return
            except Exception as error:  # of any kind: it is raised where batches are requested
                put(error)

        threading.Thread(target=fill, name="nst-photos", daemon=True).start()
        try:
            while True:
                batch = ready.get()
                if isinstance(batch, Exception):
                    raise batch
                yield batch
        finally:
            closed.set()

    def _batches(self, size: int, start: int) -> Iterator[Array]:
        random = np.random.default_rng((self._seed, start))
        while True:
            crops: list[Array] = []
            while len(crops) < size:
                if not self._training:
                    raise InputError("no photo is left to train on: none of them can be used")
                path = self._training[random.integers(len(self._training))]
                photo = self._read(path, self._training)
                if photo is not None:
                    crops.append(self._cut(photo, random))
            yield np.stack(crops)

    def _read(self, path: Path, among: list[Path]) -> Array | None:
        """The photo, reduced if it is large; one that cannot be used is reported and removed from `among`: None."""
        try:
            photo = images.read_file(path, long_side=3 * self._crop).rgb
            if min(photo.shape[:2]) < self._crop:  # a small photo, or one so long that it was reduced too far
                photo = images.read_file(path).rgb
            if min(photo.shape[:2]) >= self._crop:
                return photo
            self._report(f"{path.name} is left out: its sides must be at least {self._crop} px")
        except ImageError as error:
            self._report(f"{path.name} is left out: {error}")
        among.remove(path)
        return None

    def _cut(self, photo: Array, random: np.random.Generator) -> Array:
        """A random square of the photo, reduced to the size of a crop and perhaps mirrored."""
        largest = min(*photo.shape[:2], LARGEST_PIECE * self._crop)
        side = math.exp(random.uniform(math.log(self._crop), math.log(largest)))
        top, left = (random.integers(0, length - int(side) + 1) for length in photo.shape[:2])
        piece = images.resize(photo[top : top + int(side), left : left + int(side)], self._crop, self._crop)
        return piece[:, ::-1] if random.random() < 0.5 else piece

    def _center_square(self, path: Path) -> Array | None:
        photo = self._read(path, list(self._held_out))
        if photo is None:
            return None
        short = min(photo.shape[:2])
        top, left = ((length - short) // 2 for length in photo.shape[:2])
        return images.resize(photo[top : top + short, left : left + short], self._crop, self._crop)
