"""Operations with gradients of their own, against TensorFlow's."""

import numpy as np
import pytest

from nst.engine.backend import tf
from nst.engine.operations import convolve_fixed, gradient_kernel, instance_norm, max_pool, read_beside


def gradient_of(operation, x, weights):
    """The gradient to `x` of the sum of what `operation` gives, times `weights`; in a graph, as in a run."""

    @tf.function
    def differentiate(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(weights * operation(x))
        return tape.gradient(loss, x)

    return differentiate(x).numpy()


def normal(seed, *shape):
    return tf.random.stateless_normal(shape, (seed, 0))


@pytest.mark.parametrize(("side", "channels", "filters"), [(3, 5, 4), (1, 4, 6), (3, 2, 9)])
@pytest.mark.parametrize(("with_bias", "rectify"), [(True, True), (True, False), (False, False)])
def test_a_convolution_with_a_fixed_kernel_has_the_gradient_of_any_other(side, channels, filters, with_bias, rectify):
    x, kernel = normal(1, 2, 9, 12, channels), normal(2, side, side, channels, filters)
    bias, weights = normal(3, filters), normal(4, 2, 9, 12, filters)

    def own(x):
        return convolve_fixed(x, kernel, gradient_kernel(kernel), bias if with_bias else None, rectify)

    def tensorflows(x):
        found = tf.nn.conv2d(x, kernel, 1, "SAME")
        found = found + bias if with_bias else found
        return tf.nn.relu(found) if rectify else found

    np.testing.assert_allclose(own(x), tensorflows(x), atol=1e-5)
    expected = gradient_of(tensorflows, x, weights)
    np.testing.assert_allclose(gradient_of(own, x, weights), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(2, 8, 6, 3), (1, 9, 6, 3), (1, 8, 7, 2), (1, 5, 3, 4), (1, 1, 1, 2)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_maximum_pooling_has_tensorflows_gradient_where_no_two_values_are_equal(shape, dtype):
    order = np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape)  # below 257: exact in bfloat16, too
    x = tf.cast(order - 40, dtype)
    weights = tf.cast(normal(5, *tf.nn.max_pool2d(x, 2, 2, "SAME").shape), dtype)

    def tensorflows(x):
        return tf.nn.max_pool2d(x, 2, 2, "SAME")

    np.testing.assert_array_equal(max_pool(x), tensorflows(x))
    np.testing.assert_array_equal(gradient_of(max_pool, x, weights), gradient_of(tensorflows, x, weights))


def test_equal_maxima_share_the_gradient():
    x = tf.constant([[5, 5, 1, 2, 0], [3, 5, 2, 2, 0], [7, 7, 4, 1, 9]], tf.float32)[None, ..., None]
    found = gradient_of(max_pool, x, tf.constant([[6, 6, 6], [8, 8, 8]], tf.float32)[None, ..., None])
    expected = [[2, 2, 0, 2, 3], [0, 2, 2, 2, 3], [4, 4, 8, 0, 8]]
    np.testing.assert_allclose(found[0, ..., 0], expected)


def with_named_gradient(name):
    """An identity whose gradient is an operation of that name."""

    @tf.custom_gradient
    def identity(x):
        return tf.identity(x), lambda upstream: tf.identity(upstream, name=name)

    return identity


def ancestors(operation):
    """All operations of a graph that come before one."""
    found, left = set(), [operation]
    while left:
        one = left.pop()
        before = {each.op for each in one.inputs} | set(one.control_inputs)
        left += before - found
        found |= before
    return found


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_is_read_beside_has_its_gradient_computed_after_that_of_all_else(dtype):
    read, rest = with_named_gradient("of_read"), with_named_gradient("of_rest")

    @tf.function
    def differentiate(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            further, found = read_beside(lambda each: {"sum": tf.reduce_sum(read(each)), "few": [each[:2] ** 2]}, x)
            loss = 3 * found["sum"] + tf.reduce_sum(found["few"][0]) + tf.reduce_sum(rest(further) ** 2)
        return tape.gradient(loss, x)

    x = tf.range(4, dtype=dtype)
    np.testing.assert_array_equal(differentiate(x), tf.cast([3, 7, 7, 9], dtype))
    operations = differentiate.get_concrete_function(x).graph.get_operations()
    of_read, of_rest = ({each for each in operations if name in each.name} for name in ("of_read", "of_rest"))
    assert of_read
    assert of_rest
    assert all(of_rest <= ancestors(each) for each in of_read)


def test_instance_norm_of_several_pictures_has_the_gradient_of_each():
    x, scale, offset, weights = normal(1, 3, 7, 5, 4), normal(2, 3, 4), normal(3, 3, 4), normal(4, 3, 7, 5, 4)

    def gradients(x, scale, offset, weights):
        with tf.GradientTape() as tape:
            tape.watch((x, scale, offset))
            loss = tf.reduce_sum(weights * instance_norm(x, scale, offset))
        return tape.gradient(loss, (x, scale, offset))

    together = gradients(x, scale, offset, weights)
    for n in range(3):
        alone = gradients(*(each[n : n + 1] for each in (x, scale, offset, weights)))  # by TensorFlow's own gradient
        for found, expected in zip(together, alone, strict=True):
            np.testing.assert_allclose(found[n : n + 1], expected, atol=2e-5)
