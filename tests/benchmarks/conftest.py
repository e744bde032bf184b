"""Fixtures: `measure` runs a benchmark that succeeds, `refuse` one that must end with one line and no figure."""

import http.server
import json
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import outcome
from nst.pictures.images import encode_png

Main = Callable[[Sequence[str]], int]
Measure = Callable[..., dict[str, float]]
Refuse = Callable[..., None]


@pytest.fixture
def measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Measure:
    """Runs a benchmark; {number: median} that it has printed and kept."""

    def measure(main: Main, *given: str) -> dict[str, float]:
        status = main([*given, "--folder", str(tmp_path)])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        [path] = tmp_path.glob("*.json")
        name = main.__module__.split(".")[1]
        found = {number["name"]: number["median"] for number in json.loads(path.read_text())[name]["numbers"]}
        assert all(map(math.isfinite, found.values()))
        assert [number for number in found if f"  {number}" not in printed.out] == []
        return found

    return measure


@pytest.fixture
def refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Runs a benchmark that cannot measure."""

    def refuse(main: Main, words: str, *given: str, status: int = 1) -> None:
        folder = tmp_path / "results"
        assert main([*given, "--folder", str(folder)]) == status
        printed = capsys.readouterr()
        *_, line = printed.err.splitlines()
        assert line.startswith(f"{main.__module__.rpartition('.')[2]}: ")
        assert words in line
        assert "n=" not in printed.out
        assert "kept in" not in printed.out
        assert not folder.exists()

    return refuse


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has processes that are started from now on find a damaged module of that name; none waits for them long."""

    def broken(module: str) -> None:
        (tmp_path / "damaged").mkdir()
        (tmp_path / "damaged" / f"{module}.py").write_text(f"raise ImportError('{module} is damaged')\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "damaged"))
        monkeypatch.syspath_prepend(tmp_path / "damaged")  # which multiprocessing hands on to what it spawns

    monkeypatch.setattr(outcome, "GRACE", 1.0)
    return broken


@pytest.fixture
def no_vgg19(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VGG19's weights are not there."""
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(tmp_path / "nothing.npz"))


@pytest.fixture
def pictures(tmp_path_factory: pytest.TempPathFactory, content: np.ndarray, style: np.ndarray) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("pictures")
    for name, picture in (("content", content), ("style", style)):
        (folder / f"{name}.png").write_bytes(encode_png(picture))
    return ("--content", str(folder / "content.png"), "--style", str(folder / "style.png"))


@pytest.fixture
def failing_server() -> Iterator[str]:
    """The address of a server that answers everything with 500."""

    class Unwell(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(500, "unwell")

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unwell) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
