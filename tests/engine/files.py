"""Weights files in Keras' layout, and a server that hands them out well or badly."""

import hashlib
import re
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np

from nst.engine.networks import weights

FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
Layers = dict[str, tuple[np.ndarray, np.ndarray]]
SHAPES = {"block1_conv1": ((3, 3, 3, 4),), "block1_conv2": ((3, 3, 4, 4),), "block2_conv1": ((3, 3, 4, 6),)}


def write_notop(path: Path, layers: Layers) -> Path:
    """The layout of Keras Applications' files of 2016: names as bytes, "block1_conv1_W_1:0", pooling layers empty."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"input_1", *(layer.encode() for layer in layers), b"block1_pool"]
        for layer in ("input_1", "block1_pool"):
            file.create_group(layer).attrs["weight_names"] = []
        for layer, (kernel, bias) in layers.items():
            names = (f"{layer}_W_1:0", f"{layer}_b_1:0")
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, values in zip(names, (kernel, bias), strict=True):
                group[name] = values
        file["padding"] = np.random.default_rng(2).integers(0, 255, 300_000, np.uint8)  # several pieces of a download
    return path


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class Server:
    """A file server on the loopback that behaves, request by request, as `plan` says, and well after the plan's end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.plan, self.asked = data, list[str | int](), list[str | None]()
        self.release = threading.Event()  # lets stalled answers end
        self.came = threading.Event()  # somebody has asked
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.headers["Range"])
                server.came.set()
                server.answer(self, server.plan.pop(0) if server.plan else "well")

            def log_message(self, *_: object) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = False
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self.http.server_port}/{FILE}"

    def answer(self, request: BaseHTTPRequestHandler, behaviour: str | int) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers["Range"] or "")
        start = int(wanted[1]) if wanted and behaviour != "ignores ranges" else 0
        if behaviour == "says nothing":
            self.release.wait()
        if isinstance(behaviour, int) or start >= len(self.data):
            request.send_error(behaviour if isinstance(behaviour, int) else 416)
            return
        body = self.data[start:]
        request.send_response(206 if start else 200)
        if start:
            shown = start + 1 if behaviour == "sends another range" else start
            request.send_header("Content-Range", f"bytes {shown}-{len(self.data) - 1}/{len(self.data)}")
        if behaviour == "promises the moon":
            request.send_header("Content-Length", str(10**17))
        elif behaviour != "says no length":
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if behaviour in ("cuts off", "stalls"):
            body = body[: len(body) // 2]
        with suppress(ConnectionError):  # who asked may have left
            request.wfile.write(b"x" * len(body) if behaviour == "lies" else body)
            if behaviour == "stalls":
                request.wfile.flush()
                self.release.wait()

    def __enter__(self) -> "Server":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def same(found: Layers, expected: Layers) -> bool:
    return found.keys() == expected.keys() and all(
        np.array_equal(ours, theirs) and ours.dtype == np.float32
        for layer in expected
        for ours, theirs in zip(found[layer], expected[layer], strict=True)
    )


def fetch(server: Server, **changes: object) -> tuple[Path, list[tuple[int, int]]]:
    """(the file, the progress told)."""
    told: list[tuple[int, int]] = []
    settings = {"url": server.url, "md5": md5(server.data), "timeout": 20, "attempts": 3, "pause": 0} | changes
    return weights.fetch("vgg19", lambda *numbers: told.append(numbers), **settings), told


def left_in_the_cache(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "weights"
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")
