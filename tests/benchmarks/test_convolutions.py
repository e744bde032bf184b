"""The convolutions of a step alone, which `benchmarks.speed` compares a step with."""

import pytest

from benchmarks import convolutions
from benchmarks.random_weights import he_normal
from nst.engine.backend import tf
from nst.engine.networks.extractors import ARCHITECTURES, Extractor


def test_both_ways_to_compute_a_gradient_agree():
    _, own, turned = convolutions._convolution(7, 9, (3, 3, 4, 6), "float32")
    assert own().numpy() == pytest.approx(turned().numpy(), rel=1e-4)


def test_the_bare_convolutions_are_those_of_the_network_up_to_the_deepest_layer_used() -> None:
    vgg19 = ARCHITECTURES["vgg19"]
    layers = ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1")
    found = list(convolutions.convolved(vgg19, ["block3_conv1", "block1_conv2"], 33, 40))
    seen = Extractor(vgg19, he_normal(vgg19, 0))(tf.zeros([1, 33, 40, 3]), layers)
    assert [(height, width, kernel[3]) for height, width, kernel in found] == [
        tuple(seen[layer].shape[1:]) for layer in layers
    ]
    assert [kernel[2] for *_, kernel in found] == [3, *(kernel[3] for *_, kernel in found[:-1])]


def test_a_step_does_each_convolution_forward_and_back_to_its_input() -> None:
    vgg19, layers = ARCHITECTURES["vgg19"], ["block1_conv2", "block2_conv1"]
    forward = ([1, 9, 8, 64], [1, 9, 8, 64], [1, 5, 4, 128])  # by hand: 9 x 8 px, half of it rounded up in block 2
    back = ([1, 9, 8, 3], [1, 9, 8, 64], [1, 5, 4, 64])
    work = convolutions.work_of_a_step(vgg19, layers, 9, 8, "float32")
    done = [
        [op.outputs[0].shape.as_list() for op in each.graph.get_operations() if op.type.startswith("Conv2D")]
        for each in work
    ]
    assert done == [[shape] for pair in zip(forward, back, strict=True) for shape in pair]


def test_the_fastest_of_several_ways_is_taken() -> None:
    small, large = (convolutions._convolution(side, side, (3, 3, 32, 32), "float32")[0] for side in (8, 256))
    assert convolutions.quickest([large, small]) is small
    assert convolutions.quickest([small, large]) is small
