"""What the benchmark of speed rests on: which machine this is, which convolutions are its peak, what a run costs."""

import pytest

from benchmarks import convolutions, report
from nst.engine.backend import tf
from nst.engine.extractors import ARCHITECTURES


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("fpu sse2 avx2 fma", "avx2"),
        ("avx2 avx512f avx512_vnni", "avx512f"),
        ("avx2 avx512f avx512_bf16", "avx512_bf16"),
        ("avx2 avx512f avx512_bf16 amx_bf16 amx_tile", "amx_bf16"),
        ("fp asimd i8mm bf16", "bf16"),  # Arm
        ("", "unknown"),
    ],
)
def test_a_processor_is_told_by_the_best_instructions_it_has(flags, found):
    assert report.instructions(flags) == found


def test_machines_of_one_name_and_other_instructions_have_results_of_their_own():
    here = {"cores": 2, "processor": "AMD EPYC"}
    names = {report.slug({**here, "instructions": kind}) for kind in ("avx2", "avx512_bf16")}
    assert names == {"2-cores-amd-epyc-avx2", "2-cores-amd-epyc-avx512-bf16"}


def test_a_gradient_is_the_same_done_either_way():
    _, own, turned = convolutions._convolution(7, 9, (3, 3, 4, 6), "float32")
    assert own().numpy() == pytest.approx(turned().numpy(), rel=1e-4)


def test_the_bare_convolutions_are_those_up_to_the_deepest_layer_used(monkeypatch):
    shapes = []

    def convolution(height: int, width: int, kernel_shape: tuple[int, ...], dtype: str):
        shapes.append((height, width, *kernel_shape[2:], dtype))
        return (lambda: tf.constant(0.0),) * 3

    monkeypatch.setattr(convolutions, "_convolution", convolution)
    used = ["block3_conv1", "block1_conv2"]
    convolutions.bare_convolutions(ARCHITECTURES["vgg19"], used, 33, 40, "bfloat16")()
    assert shapes == [
        (33, 40, 3, 64, "bfloat16"),
        (33, 40, 64, 64, "bfloat16"),
        (17, 20, 64, 128, "bfloat16"),
        (17, 20, 128, 128, "bfloat16"),
        (9, 10, 128, 256, "bfloat16"),
    ]


def test_the_quickest_way_is_the_one_that_counts(monkeypatch):
    done = []
    ways = {name: lambda name=name: done.append(name) or tf.constant(0.0) for name in ("forward", "own", "turned")}
    monkeypatch.setattr(convolutions, "_convolution", lambda *_: tuple(ways.values()))
    monkeypatch.setattr(convolutions, "_best_of_trials", lambda way: {ways["own"]: 2.0, ways["turned"]: 1.0}[way])
    convolutions.bare_convolutions(ARCHITECTURES["vgg19"], ["block1_conv1"], 8, 8, "float32")()
    assert done == ["forward", "turned"]
