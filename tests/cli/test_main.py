import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from nst.cli.main import main
from nst.engine.networks import weights
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from tests.engine.files import FILE, Server, md5

ROOT = Path(__file__).resolve().parents[2]


def test_missing_weights_are_status_1_and_the_error_names_the_command_to_get_them(files, tmp_path, capsys, monkeypatch):
    for variable in ("NST_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("NST_VGG19_WEIGHTS", "NST_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    status = main(["stylize", *map(str, files), "-o", str(tmp_path / "out.png"), "--extractor", "vgg19"])
    assert status == 1
    assert "nst weights fetch vgg19" in capsys.readouterr().err


def test_without_a_command_the_help_lists_them(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: nst")
    assert all(command in printed for command in ("stylize", "apply", "serve"))


def test_weights_are_listed(capsys):
    assert main(["weights", "list"]) == 0
    assert "compact" in capsys.readouterr().out


def test_weights_are_fetched_into_the_cache_unless_that_is_forbidden(tmp_path, capsys, monkeypatch):
    for variable in ("NST_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.delenv("NST_VGG19_WEIGHTS", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    with Server(b"weights") as server:
        monkeypatch.setitem(weights.SOURCES, "vgg19", weights.Source(FILE, server.url, md5(b"weights"), 7))
        assert main(["weights", "fetch", "vgg19"]) == 1
        assert "NST_OFFLINE" in capsys.readouterr().err
        assert server.asked == []
        monkeypatch.delenv("NST_OFFLINE")
        assert main(["weights", "fetch", "vgg19"]) == 0
    path = weights.locate("vgg19")
    assert path is not None
    assert path.read_bytes() == b"weights"
    assert str(path) in capsys.readouterr().out
    assert main(["weights", "fetch", "vgg61"]) == 2
    assert "vgg61" in capsys.readouterr().err


def test_bad_input_to_a_fresh_process_gives_no_traceback():
    done = subprocess.run(
        [sys.executable, "-m", "nst", "stylize", "a.png", "b.png", "-o", "c.png"],
        cwd=ROOT, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("nst: ")
    assert done.stderr.count("\n") == 1


def test_the_lines_of_the_readme_run_as_printed(files, tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = readme.partition("```python\n")[2].partition("```")[0]
    assert "epochs=40, size=512" in code
    monkeypatch.chdir(tmp_path)
    files[0].rename("photo.jpg"), files[1].rename("painting.jpg")
    exec(code.replace("epochs=40, size=512", 'epochs=1, size=96, extractor="compact"'), {})
    with Image.open("out.png") as result:
        assert result.size == (96, 72)


def test_the_public_names_load_on_first_use():
    import nst

    assert callable(nst.stylize)
    assert nst.StyleOptions is StyleOptions
    assert set(nst.__all__) == {"Step", "StyleOptions", "apply_style", "encode_png", "read_file", "stylize"}
    with pytest.raises(AttributeError, match="no attribute 'stylise'"):
        _ = nst.stylise


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which `nst serve` was called, which serves nothing."""
    found: list[Settings] = []
    monkeypatch.setattr("nst.web.serve.serve", lambda settings, open_browser: found.append(settings))
    return found


@pytest.mark.parametrize("flags", [["--token", "open-sesame-open"], ["--token=open-sesame-open"]])
def test_a_token_on_the_command_line_is_not_left_for_processes_that_are_started(served, monkeypatch, flags):
    monkeypatch.setattr(sys, "argv", ["nst", "serve", *flags, "--port", "9000"])
    assert main() == 0
    assert [(settings.token, settings.port) for settings in served] == [("open-sesame-open", 9000)]
    assert "open-sesame" not in " ".join(sys.argv)
    assert sys.argv[-2:] == ["--port", "9000"]


def test_a_token_is_read_from_a_file(served, tmp_path):
    file = tmp_path / "token"
    file.write_text("open-sesame-open\n")
    assert main(["serve", "--token-file", str(file)]) == 0
    assert [settings.token for settings in served] == ["open-sesame-open"]


def test_a_file_that_holds_no_token_is_refused_in_one_line(served, tmp_path, capsys):
    (tmp_path / "token").touch()
    assert main(["serve", "--token-file", str(tmp_path / "token")]) == 2
    assert main(["serve", "--token-file", str(tmp_path / "none")]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert "must hold a token of at least 16 characters, got 0" in first
    assert second == f"nst: {tmp_path / 'none'}: No such file or directory"
    assert served == []
