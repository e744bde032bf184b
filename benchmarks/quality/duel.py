"""Blind duels: sheets that show two results without saying whose they are, and the count of the answers.

What is drawn by lot (the order of the sheets, and who is left) depends on the seed and on the results themselves: the
same command draws the same, and nobody learns a seed's sides by heart.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from benchmarks.quality.pairs import Pair, picture_in
from benchmarks.quality.verdicts import check_shape
from nst.atomic_write import atomic_write
from nst.errors import InputError
from nst.pictures.contact_sheet import sheet
from nst.pictures.images import Array, encode_jpeg, fit, read_file, resize
from tools.sheets import opened

SIDE = 640  # px, long side of a result in a sheet, unless one of the two is smaller
QUALITY = 95  # of the JPEG, colors at full resolution
SIDES = ("left", "right")
TIE = "tie"
ANSWER = re.compile(r"(\d+)\s+(left|right|tie)", re.IGNORECASE)

Key = Mapping[str, Mapping[str, str]]  # sheet's number -> {"pair", "left", "right"}


def make_sheets(pairs: Sequence[Pair], rivals: tuple[Path, Path], folder: Path, key: Path, seed: int) -> None:
    """Write a sheet <number>.jpg for each pair into `folder`, and who is where into `key`.

    Raises InputError where a result is missing, the folder is not empty, or the key would lie in it.
    """
    results = {pair.name: tuple(picture_in(rival, pair.name) for rival in rivals) for pair in pairs}
    if rivals[0].samefile(rivals[1]):
        raise InputError(f"a duel needs two folders, got {str(rivals[0])!r} twice")
    if key.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"the key must not lie among the sheets in {str(folder)!r}, got {str(key)!r}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{str(folder)!r} must be a new or an empty folder")
    lots = _lots([file for files in results.values() for file in files], seed)
    order = [pairs[at] for at in lots.permutation(len(pairs))]
    swapped = lots.integers(2, size=len(pairs))
    drawn: dict[str, dict[str, str]] = {}
    sheets: dict[str, bytes] = {}
    for number, (pair, swap) in enumerate(zip(order, swapped, strict=True), 1):
        step = -1 if swap else 1
        sheets[f"{number}.jpg"] = encode_jpeg(duel_sheet(pair, results[pair.name][::step]), QUALITY)
        names = (str(rival) for rival in rivals[::step])
        drawn[str(number)] = {"pair": pair.name, **dict(zip(SIDES, names, strict=True))}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in sheets.items():
        (folder / name).write_bytes(data)
    with atomic_write(key) as part:
        part.write_text(json.dumps(drawn, indent=1) + "\n", encoding="utf-8")


def _lots(files: Sequence[Path], seed: int) -> np.random.Generator:
    digest = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files))
    return np.random.default_rng([seed, int.from_bytes(digest.digest()[:8])])


def duel_sheet(pair: Pair, files: tuple[Path, ...]) -> Array:
    """Content and style above, the two results below, left and right, at one size whatever their own."""
    results = [read_file(file).rgb for file in files]
    content = opened(pair.content)
    for file, result in zip(files, results, strict=True):
        check_shape(result, str(file), content.width / content.height)
    side = min(SIDE, *(max(result.shape[:2]) for result in results))
    shape = fit(content.height, content.width, side)
    shown = [Image.fromarray(np.rint(255 * resize(result, *shape)).astype(np.uint8)) for result in results]
    above = [(content, "content"), (opened(pair.style), "style")]
    drawn = sheet([above, list(zip(shown, SIDES, strict=True))], side)
    return np.asarray(drawn, np.float32) / 255


@dataclass(frozen=True)
class Tally:
    """How a duel ended: wins by rival, ties, sheets without an answer."""

    wins: Mapping[str, int]
    ties: int
    unanswered: int

    @property
    def decided(self) -> int:
        """Answers that name a side."""
        return sum(self.wins.values())

    @property
    def p(self) -> float:
        """Two-sided binomial p value of the wins where both were equally good; ties do not count."""
        return float(binomtest(max(self.wins.values()), self.decided).pvalue) if self.decided else 1.0

    def text(self) -> str:
        """n, wins of each, p, in lines."""
        lines = [f"n = {self.decided}" + (f", and {self.ties} ties" if self.ties else "")]
        lines += [f"{name}: {wins} wins" for name, wins in self.wins.items()]
        lines.append(f"p = {self.p:.3g} (binomial, two-sided; ties left out)")
        return "\n".join(lines + [f"{self.unanswered} sheets have no answer"] * bool(self.unanswered))


def tally(answers: Path, key: Path) -> Tally:
    """Count the answers, lines such as "1 left", "2 right", "3 tie", by the key. Raises InputError."""
    sheets = _key(key)
    given: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in _text(answers).splitlines())):
        found = ANSWER.fullmatch(line)
        if not found:
            raise InputError(f'{answers.name!r} must have lines like "1 left", "2 right" or "3 tie"; got {line[:80]!r}')
        number, side = found[1], found[2].lower()
        if number not in sheets:
            raise InputError(f"{answers.name!r}: there is no sheet {number}; the key has {len(sheets)}")
        if number in given:
            raise InputError(f"{answers.name!r} answers sheet {number} twice")
        given[number] = side
    rivals = sorted({sheets[number][side] for number in sheets for side in SIDES})
    chosen = [sheets[number][side] for number, side in given.items() if side != TIE]
    wins = {rival: chosen.count(rival) for rival in rivals}
    return Tally(wins, list(given.values()).count(TIE), len(sheets) - len(given))


def _key(path: Path) -> Key:
    try:
        key = json.loads(_text(path))
        if not key or not all(isinstance(sides[side], str) for sides in key.values() for side in SIDES):
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError(f"{path.name!r} must be the key that --duel wrote") from None
    return key


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or 'no text'}") from None
