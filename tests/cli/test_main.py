import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from nst.cli.main import main
from nst.options.style_options import StyleOptions

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
