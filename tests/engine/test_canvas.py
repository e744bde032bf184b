import numpy as np
import pytest
import tensorflow as tf

from nst.engine.optimization.canvas import (
    add_margins,
    crop_features,
    cut_margins,
    inner_region,
    positions,
    resize_canvas,
    to_canvas,
)
from nst.pictures.images import fit, resize
from nst.runs.schedule import Scale, margins


def random_picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1, (height, width, 3)).astype(np.float32)


@pytest.mark.parametrize(("height", "width"), [(64, 48), (16, 300), (17, 23)])
def test_a_canvas_mirrors_the_picture_in_its_margins(height, width):
    picture = random_picture(height, width)
    canvas = add_margins(picture)[0].numpy()
    rows, columns = margins(height, width)
    assert canvas.shape == (height + 2 * rows, width + 2 * columns, 3)
    for row, column in ((rows, columns), (rows + 3, columns + 5)):
        mirrored = canvas[2 * rows - 1 - row, 2 * columns - 1 - column]
        np.testing.assert_array_equal(mirrored, picture[row - rows, column - columns])
    np.testing.assert_array_equal(
        canvas[-1 : -rows - 1 : -1, columns:-columns], canvas[-2 * rows : -rows, columns:-columns]
    )


@pytest.mark.parametrize(("height", "width"), [(64, 48), (16, 300), (17, 23)])
def test_cutting_the_margins_gives_the_picture_back(height, width):
    picture = random_picture(height, width)
    np.testing.assert_array_equal(cut_margins(add_margins(picture), Scale(height, width, 1))[0], picture)


def test_a_canvas_of_another_size_is_that_of_the_resized_picture():
    picture = random_picture(60, 100)
    np.testing.assert_array_equal(to_canvas(picture, 30, 50), add_margins(resize(picture, 30, 50)))


@pytest.mark.parametrize("shape", [(60, 180), (180, 36), (90, 120)])
def test_a_picture_is_not_shifted_when_its_canvas_is_resized(shape):
    """Margins do not grow in proportion to the picture; resized with it, they would move it."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / max(shape)
    content = np.stack([x, y, (x + y) / 2], -1).astype(np.float32)
    small, large = (Scale(*fit(*shape, side), 1) for side in (64, 128))
    canvas = to_canvas(content, small.height, small.width)
    resized = resize_canvas(canvas, "bicubic", old=small, new=large)
    picture = cut_margins(resized, large)[0].numpy()
    np.testing.assert_allclose(picture, resize(content, large.height, large.width), atol=0.02)
    np.testing.assert_array_equal(resized, add_margins(picture))


@pytest.mark.parametrize(
    ("first", "last", "stride", "expected"),
    [(0, 8, 1, (0, 8)), (8, 16, 4, (2, 4)), (7, 17, 4, (1, 5)), (3, 4, 16, (0, 1))],
)
def test_positions_are_those_that_overlap_the_pixels(first, last, stride, expected):
    assert positions(first, last, stride) == expected


def test_the_inner_region_leaves_out_the_margin_on_every_side():
    assert inner_region((40, 56), 8) == [(8, 32), (8, 48)]


def test_the_gradient_of_cropped_features_is_that_of_a_slice():
    features = tf.random.stateless_uniform([1, 7, 9, 2], seed=(3, 4))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(features)
        cropped = crop_features(features, ((2, 11), (4, 17)), stride=2)
        losses = [tf.reduce_sum(tf.square(x)) for x in (cropped, features[:, 1:6, 2:9])]
    np.testing.assert_array_equal(cropped, features[:, 1:6, 2:9])
    np.testing.assert_array_equal(*(tape.gradient(loss, features) for loss in losses))
