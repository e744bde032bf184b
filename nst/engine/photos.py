"""Pieces of the photos in a folder, for training: read in the background, cut and mirrored at random."""

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

AHEAD = 4  # batches that are ready before they are asked for
WIDEST = 1.8  # times the crop's side: the largest piece of a photo that is reduced to a crop
HELD_OUT = 8  # photos that are never trained on
PATIENCE = 0.2  # seconds between two looks whether anyone still wants batches


class Photos:
    """Crops of the photos of a folder and the folders in it; some photos are held out.

    A file that is no picture, or is smaller than a crop, is named to `tell` when its turn comes, and left out.

    Raises InputError if the folder has no photo.
    """

    def __init__(self, folder: Path, crop: int, seed: int, tell: Callable[[str], None]) -> None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {str(folder)!r} of photos to train on")
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES and path.is_file())
        if not paths:
            raise InputError(f"the folder {str(folder)!r} must have photos to train on, but there is none")
        np.random.default_rng(seed).shuffle(paths)
        few = min(HELD_OUT, len(paths) // 2)
        self._crop, self._seed, self._tell = crop, seed, tell
        self._held_out, self._training = paths[:few], paths[few:]
        self.folder, self.count = folder.resolve().name, len(paths)

    def held_out(self) -> Array:
        """The middles of the photos that are not trained on, [at most HELD_OUT, crop, crop, 3] in 0..1.

        Of a folder with one photo, or none that can be read among those, it is what there is to train on.
        """
        found = [crop for crop in map(self._middle, self._held_out) if crop is not None]
        return np.stack(found) if found else next(self._batches(1, 0))

    def batches(self, size: int, start: int = 0) -> Iterator[Array]:
        """Endless batches [size, crop, crop, 3] in 0..1, made by a thread; `start` is how many were seen before.

        Raises InputError when no photo is left that can be read.
        """
        ready: queue.Queue[Array | Exception] = queue.Queue(AHEAD)
        wanted = threading.Event()
        wanted.set()

        def put(batch: Array | Exception) -> None:
            while wanted.is_set():
                with suppress(queue.Full):
                    ready.put(batch, timeout=PATIENCE)
                    return

        def fill() -> None:
            try:
                for batch in self._batches(size, start):
                    put(batch)
                    if not wanted.is_set():
                        return
            except Exception as error:  # whatever it is: nobody else could tell who waits
                put(error)

        threading.Thread(target=fill, name="nst-photos", daemon=True).start()
        try:
            while True:
                batch = ready.get()
                if isinstance(batch, Exception):
                    raise batch
                yield batch
        finally:
            wanted.clear()

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
        try:
            photo = images.read_file(path, long_side=3 * self._crop).rgb
            if min(photo.shape[:2]) < self._crop:  # small, or so long that it was reduced too far
                photo = images.read_file(path).rgb
            if min(photo.shape[:2]) >= self._crop:
                return photo
            self._tell(f"{path.name} is left out: its sides must be at least {self._crop} px")
        except ImageError as error:
            self._tell(f"{path.name} is left out: {error}")
        among.remove(path)
        return None

    def _cut(self, photo: Array, random: np.random.Generator) -> Array:
        """A random piece, as it is or reduced to a crop, perhaps mirrored."""
        short = min(photo.shape[:2])
        side = math.exp(random.uniform(math.log(self._crop), math.log(min(short, WIDEST * self._crop))))
        top, left = (random.integers(0, length - int(side) + 1) for length in photo.shape[:2])
        piece = images.resize(photo[top : top + int(side), left : left + int(side)], self._crop, self._crop)
        return piece[:, ::-1] if random.random() < 0.5 else piece

    def _middle(self, path: Path) -> Array | None:
        photo = self._read(path, list(self._held_out))
        if photo is None:
            return None
        short = min(photo.shape[:2])
        top, left = ((length - short) // 2 for length in photo.shape[:2])
        return images.resize(photo[top : top + short, left : left + short], self._crop, self._crop)
