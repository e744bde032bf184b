"""`nst stylize` with a mask."""

import numpy as np
import pytest
from PIL import Image

from nst.cli.main import main
from nst.pictures.images import read_file, resize
from tests.cli.quick_runs import QUICK, painted


@pytest.fixture
def mask(tmp_path):
    """White on the left half."""
    values = np.zeros((48, 64), np.uint8)
    values[:, :32] = 255
    path = tmp_path / "mask.png"
    Image.fromarray(values).save(path)
    return path


def test_the_content_is_kept_where_the_mask_is_white_and_like_repeats_it(files, mask, tmp_path, capsys):
    output, again = tmp_path / "out.png", tmp_path / "again.png"
    made = painted(files, output, *QUICK, "--mask", str(mask))
    assert (made.options.mask_use, len(made.mask or "")) == ("protect", 64)
    result, content = read_file(output).rgb, resize(read_file(files[0]).rgb, 72, 96)
    np.testing.assert_allclose(result[:, :40], content[:, :40], atol=1 / 255)
    painted(files, again, "--like", str(output), "--quiet", "--mask", str(mask))
    assert np.array_equal(np.asarray(Image.open(output)), np.asarray(Image.open(again)))
    assert capsys.readouterr().err == ""
    painted(files, again, "--like", str(output), "--quiet")
    assert capsys.readouterr().err == "nst: 'out.png' was painted with a mask: name it, as --mask FILE\n"


def test_each_of_two_paintings_has_its_part(files, mask, tmp_path):
    flags = [*QUICK, "--mask", str(mask), "--mask-use", "styles"]
    made = painted([*files, files[0]], tmp_path / "out.png", *flags)
    assert (made.options.mask_use, len(made.more_styles)) == ("styles", 1)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--mask-use", "strength"], "`mask_use` is 'strength', but no mask was given"),
        (["--mask", "{mask}", "--mask-use", "styles"], "`mask_use` styles needs two paintings, for the white"),
        (["--mask", "{mask}", "--mask-use", "protekt"], "did you mean 'protect'?"),
        (["--mask", "{style}"], "`mask` must have the shape of the content, 64 x 48 px or in proportion, got 40 x 40"),
        (["--mask", "nowhere.png"], "there is no file 'nowhere.png'"),
    ],
)
def test_a_wrong_mask_is_refused_in_one_line(files, mask, tmp_path, capsys, flags, words):
    flags = [flag.format(mask=mask, style=files[1]) for flag in flags]
    assert main(["stylize", *map(str, files), "-o", str(tmp_path / "out.png"), *QUICK, *flags]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert words in lines[0]


def test_a_mask_is_not_overwritten(files, mask, capsys):
    assert main(["stylize", *map(str, files), "-o", str(mask), *QUICK, "--mask", str(mask)]) == 2
    assert "would overwrite" in capsys.readouterr().err
