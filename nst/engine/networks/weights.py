"""Weights of the extractors: where their files are, how they are read and checked, and how they are downloaded.

Weights are {layer: (kernel [kh, kw, in, out], ..., bias [out])}, float32; most layers have one kernel. This module does
not know the networks, whose shapes its callers give, and imports neither TensorFlow nor Keras: it reads Keras' files
with h5py.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import platformdirs
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from nst.engine.networks.download import CANCEL_POLL_SECONDS, CANCELLED, Progress, download, md5_of
from nst.errors import Cancelled, DiskFull, Unfetched, WeightsError
from nst.options.layer_presets import SHIPPED_NETWORK
from nst.options.settings import Settings

Arrays = dict[str, list[Any]]  # layer -> its datasets, kernels first
Layer = tuple[NDArray[np.float32], ...]  # kernels, bias
Shapes = Mapping[str, tuple[tuple[int, ...], ...]]  # layer -> the shapes of its kernels, [kh, kw, in, out]

MOST_LAYERS_NAMED = 6  # in an error
ACCEPTED_DTYPES = ("float16", "float32", "float64")
BUILTIN = Path(__file__).parents[2] / "builtin" / "compact.npz"
FORMAT = "an HDF5 file as Keras writes it, or a .npz with <layer>/kernel and <layer>/bias"


@dataclass(frozen=True)
class Source:
    """A weights file on a server, with the hash that Keras Applications checks, too."""

    file: str
    url: str
    md5: str
    size: int  # bytes


def _keras_source(name: str, md5: str, size: int) -> Source:
    file = f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return Source(file, f"https://storage.googleapis.com/tensorflow/keras-applications/{name}/{file}", md5, size)


SOURCES = {
    "vgg19": _keras_source("vgg19", "253f8cb515780f3b799900260a226db6", 80_134_624),
    "vgg16": _keras_source("vgg16", "6d6bbae143d832006294945121d1f1fc", 58_889_256),
}


def locate(extractor: str) -> Path | None:
    """The file that `load` would read, or None; it is not opened.

    The variable NST_<NETWORK>_WEIGHTS names it; where that is not set, the caches of this program and Keras have it.
    """
    if extractor == SHIPPED_NETWORK:
        return BUILTIN
    named = os.environ.get(_variable(extractor))
    source = _source(extractor)
    candidates = (_path(named),) if named else (_cache() / source.file, _keras_cache() / source.file)
    return next((path for path in candidates if path.is_file()), None)


def how_to_get(extractor: str) -> str:
    """A sentence on how to get the weights; "" for those that ship."""
    if extractor == SHIPPED_NETWORK:
        return ""
    named = os.environ.get(_variable(extractor))
    if named and locate(extractor) is None:
        return f"{_variable(extractor)} names {named!r}, which is no file; correct it, or unset it."
    if Settings.read().offline:
        return f"NST_OFFLINE forbids fetching {extractor.upper()}'s; {_variable(extractor)} may name a file of them."
    return (
        f"To get {extractor.upper()}'s, run `nst weights fetch {extractor}` ({_source(extractor).size / 1e6:.0f} MB),"
        f" or set {_variable(extractor)} to a file in Keras' format."
    )


def fetchable(extractor: str) -> bool:
    """Whether `fetch` can download these weights, and `load` would then read that file."""
    return extractor in SOURCES and not os.environ.get(_variable(extractor)) and not Settings.read().offline


def being_fetched(extractor: str) -> bool:
    """Whether a process on this machine is downloading them now."""
    lock = _lock_of(_cache() / _source(extractor).file)
    try:
        with FileLock(lock, blocking=False) if lock.is_file() else nullcontext():
            return False
    except (Timeout, OSError) as error:
        return isinstance(error, Timeout)


def load(extractor: str, shapes: Shapes) -> dict[str, Layer]:
    """Read the weights of `extractor`.

    Args:
        extractor: "vgg19", "vgg16" or "compact".
        shapes: {layer: shapes of its kernels} of the layers to read; other layers of the file are ignored.

    Raises:
        WeightsError: there is no file, or it is damaged, or its layers have other names or shapes.
    """
    path = locate(extractor)
    if path is None:
        raise WeightsError(f"the weights of {extractor} are missing. {how_to_get(extractor)}")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                return _check(_numpy_arrays(stored), shapes, path)
        with h5py.File(path) as file:
            return _check(_keras_arrays(file), shapes, path)
    except FileNotFoundError:
        raise WeightsError(f"weights file {str(path)!r} has gone. {how_to_get(extractor)}") from None
    except PermissionError:
        raise WeightsError(f"weights file {str(path)!r} must be readable, but permission is denied") from None
    except WeightsError:
        raise
    except Exception as error:  # h5py and NumPy raise errors of many kinds on a damaged file
        state = "is cut off" if "truncated" in str(error) else "is damaged or no weights file"
        rule = "must be the file that ships" if path == BUILTIN else f"must be {FORMAT}"
        raise WeightsError(f"weights file {str(path)!r} {state}: it {rule}. {how_to_get(extractor)}".strip()) from None


def fetch(
    extractor: str,
    progress: Progress,
    url: str | None = None,
    *,
    md5: str | None = None,
    timeout: float = 30.0,
    attempts: int = 5,
    pause: float = 1.0,
    stop: threading.Event | None = None,
) -> Path:
    """Download the weights into the cache of this program, check their hash, and return the file.

    If the file is there already, it is returned at once. What an interrupted attempt received is kept and continued,
    also by a later call. Of several calls at the same time, in threads or processes, one downloads and the others wait.
    The file gets its name only after its hash has been checked.

    Args:
        extractor: "vgg19" or "vgg16"; "compact" ships.
        progress: called after each piece with (bytes received, bytes in all, or 0 if unknown).
        url: of a mirror, http or https; None is Keras' own server.
        md5: of the file, in hexadecimal; None is that which Keras checks.
        timeout: seconds without a byte after which an attempt has failed.
        attempts: how many to make.
        pause: seconds before the second attempt; before each later one it is that much longer.
        stop: ends the download soon after it is set; what was received is then deleted.

    Raises:
        Unfetched: NST_OFFLINE is set, the server refused, all attempts failed, the hash is another, or the disk is
            full. Cancelled: `stop` was set.
    """
    if extractor == SHIPPED_NETWORK:
        return BUILTIN
    source, stop = _source(extractor), stop or threading.Event()
    url, md5 = url or source.url, md5 or source.md5
    target = _cache() / source.file
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target, stop, lambda: progress(part.stat().st_size if part.exists() else 0, source.size)):
            if not (target.is_file() and md5_of(target) == md5):
                _refuse_offline(extractor)
                try:
                    download(url, part, md5, progress, timeout, attempts, pause, stop)
                except Cancelled:
                    part.unlink(missing_ok=True)
                    raise
                part.replace(target)
    except OSError as error:
        reason = "the disk is full" if error.errno in DiskFull.ERRNOS else error.strerror or str(error)
        message = f"cannot keep the weights of {extractor} in {str(target.parent)!r}: {reason}"
        raise Unfetched(message, f"there is no way to keep it: {reason}") from None
    size = target.stat().st_size
    progress(size, size)
    return target


@contextmanager
def _locked(target: Path, stop: threading.Event, while_waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of `target`; `while_waiting` is called repeatedly until it is free. Raises Cancelled."""
    lock = FileLock(_lock_of(target))
    while True:
        try:
            lock.acquire(timeout=CANCEL_POLL_SECONDS)
            break
        except Timeout:
            if stop.is_set():
                raise Cancelled(CANCELLED) from None
            while_waiting()
    try:
        yield
    finally:
        lock.release()


def _lock_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.lock")


def _refuse_offline(extractor: str) -> None:
    if Settings.read().offline:
        raise Unfetched(
            f"the weights of {extractor} must come from the network, but NST_OFFLINE forbids it;"
            f" unset it, or set {_variable(extractor)} to a file you have",
            "NST_OFFLINE forbids it",
        )


def _keras_arrays(file: h5py.File) -> Arrays:
    """{layer: datasets} of a file in any of Keras' layouts: Applications' "notop", `model.save` to .h5, .weights.h5."""
    if "layers" in file:  # .weights.h5: layers/conv2d_3/vars/0, with the layer's name as an attribute
        stored = (group["vars"] for group in file["layers"].values())
        return {vars.attrs["name"]: [vars[key] for key in sorted(vars)] for vars in stored}
    groups = file.get("model_weights", file)
    return {
        name: [group[_text(dataset)] for dataset in group.attrs["weight_names"]]
        for name, group in groups.items()
        if "weight_names" in group.attrs
    }


def _numpy_arrays(stored: Mapping[str, Any]) -> Arrays:
    """{layer: [kernel, ..., bias]} of an .npz with "<layer>/kernel", or kernel1, kernel2 ..., and "<layer>/bias"."""
    arrays: Arrays = {}
    for key in sorted(stored, key=lambda key: (key.endswith("/bias"), key)):
        arrays.setdefault(key.partition("/")[0], []).append(stored[key])
    return arrays


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _check(arrays: Arrays, shapes: Shapes, path: Path) -> dict[str, Layer]:
    """The layers of `shapes`, each checked by `_check_layer`. Raises WeightsError."""
    file = f"weights file {str(path)!r}"
    return {layer: _check_layer(arrays, layer, kernels, file) for layer, kernels in shapes.items()}


def _check_layer(arrays: Arrays, layer: str, kernels: tuple[tuple[int, ...], ...], file: str) -> Layer:
    """Kernels and bias of a layer as float32. Raises WeightsError if it is missing, of another shape, or not finite."""
    if layer not in arrays:
        found = sorted(name for name, values in arrays.items() if values)
        raise WeightsError(f"{file} must have a layer {layer}, got {_listed(found)}")
    expected, given = [*kernels, kernels[-1][-1:]], [tuple(array.shape) for array in arrays[layer]]
    if given != expected:
        raise WeightsError(
            f"{file}: kernel and bias of {layer} must have the shapes"
            f" {' and '.join(map(str, expected))}, got {' and '.join(map(str, given)) or 'none'}"
        )
    dtypes = [str(array.dtype) for array in arrays[layer]]
    if others := set(dtypes) - set(ACCEPTED_DTYPES):
        rule = f"must be {', '.join(ACCEPTED_DTYPES)}"
        raise WeightsError(f"{file}: the values of {layer} {rule}, got {', '.join(others)}")
    with np.errstate(over="ignore"):  # values that are too large become infinite, which is refused below
        values = tuple(np.asarray(array, np.float32) for array in arrays[layer])
    if not all(np.isfinite(array).all() for array in values):
        raise WeightsError(f"{file}: the values of {layer} must be finite numbers")
    return values


def _listed(names: list[str]) -> str:
    """The first names of a list and the number of the others, or "none"."""
    others = len(names) - MOST_LAYERS_NAMED
    return ", ".join(names[:MOST_LAYERS_NAMED]) + (f" and {others} more" if others > 0 else "") or "none"


def _source(extractor: str) -> Source:
    if extractor not in SOURCES:
        raise WeightsError(f"there are no weights for {extractor!r}; known are {', '.join(SOURCES)} and compact")
    return SOURCES[extractor]


def _variable(extractor: str) -> str:
    return f"NST_{extractor.upper()}_WEIGHTS"


def _cache() -> Path:
    return _path(os.environ.get("NST_CACHE") or platformdirs.user_cache_dir("nst", appauthor=False)) / "weights"


def _keras_cache() -> Path:
    return _path(os.environ.get("KERAS_HOME") or "~/.keras") / "models"


def _path(name: str) -> Path:
    """The path with "~" expanded; `Path.expanduser` would raise an error if the home folder is unknown."""
    return Path(os.path.expanduser(name))
