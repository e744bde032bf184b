import hashlib
import json

from nst import __version__
from nst.cli.main import main
from nst.engine.devices import choose_precision
from nst.pictures.provenance import read_file
from tests.cli.quick_runs import QUICK, STEERED, painted, with_settings


def test_show_prints_the_settings_of_a_result(files, tmp_path, capsys):
    output = tmp_path / "out.png"
    painted(files, output, *QUICK, "--style-layers", "block1_conv1=1,block2_conv1=0.5")
    steered = with_settings(output, steered=STEERED, branched=True)
    assert main(["show", str(steered)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0].startswith(f"nst {__version__}")
    for line in (
        f"network compact, {choose_precision('auto')}",  # what "auto" stands for depends on the machine
        "epochs painted 1",
        f"content SHA-256 {hashlib.sha256(files[0].read_bytes()).hexdigest()}",
        "begins from a kept frame of another run",
        "style_layers block1_conv1=1,block2_conv1=0.5",
        "content_weight automatic",
        "from step 1",
        "strength 50.0",
    ):
        assert line in lines
    assert main(["show", str(steered), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == read_file(steered).to_json()


def test_a_picture_without_settings_and_a_missing_one_are_one_line(files, tmp_path, capsys):
    for path, words in ((files[0], "carries no settings of this program"), (tmp_path / "none.png", "cannot be read")):
        for arguments in (["show", path], ["stylize", *files, "-o", tmp_path / "out.png", "--like", path]):
            assert main([str(argument) for argument in arguments]) == 2
            error = capsys.readouterr().err
            assert words in error
            assert error.count("\n") == 1
