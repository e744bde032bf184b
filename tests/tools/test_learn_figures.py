import numpy as np
import pytest
from PIL import Image

from nst.pictures import heat_map
from tools import learn_figures

TINY = ["--size", "64", "--epochs", "2"]


def test_a_figure_is_rendered_again_at_a_small_size(tmp_path, capsys):
    learn_figures.main(["gram", "smoothness", *TINY, "--out", str(tmp_path)])
    assert len(capsys.readouterr().out.splitlines()) == 6
    shipped = {path.name for path in learn_figures.FOLDER.iterdir()}
    assert {path.name for path in tmp_path.iterdir()} <= shipped
    for name in ("content", "painting", "style"):
        with Image.open(tmp_path / f"gram-{name}.png") as matrix:
            assert matrix.size == (heat_map.MAP_SIDE, heat_map.MAP_SIDE)
            pixels = np.asarray(matrix.convert("RGB"))
            assert np.array_equal(pixels, pixels.transpose(1, 0, 2))  # a Gram matrix is symmetric
    with Image.open(tmp_path / "tv_weight-0.jpg") as picture:
        assert max(picture.size) == 64


def test_the_chart_has_a_curve_for_each_optimizer():
    drawn = learn_figures.chart({"lbfgs": [10.0, 2.0, 1.0], "adam": [10.0, 5.0, 3.0]})
    assert drawn.count("<polyline") == 2
    assert "L-BFGS" in drawn
    assert "nan" not in drawn


def test_an_unknown_figure_is_refused(capsys):
    with pytest.raises(SystemExit):
        learn_figures.main(["grams"])
    assert "there is no figure 'grams'" in capsys.readouterr().err
