import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nst.engine import devices
from nst.engine.backend import tf
from nst.options.style_options import StyleOptions
from tests.conftest import ROOT

CPUINFO = Path("/proc/cpuinfo")


@pytest.fixture
def untried():
    """No trial was made in this process yet, nor afterwards."""
    devices.bfloat16_speedup.cache_clear()
    yield
    devices.bfloat16_speedup.cache_clear()


def clock(monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float]) -> list[str]:
    """Convolutions that take as long as `seconds` says of their dtype; returns the list of those done."""
    done: list[str] = []

    def convolution(dtype: str):
        def convolve(side: int) -> float:
            done.append(dtype)
            return seconds[dtype]

        return convolve

    monkeypatch.setattr(devices, "_timed_convolution", convolution)
    return done


def test_the_device_is_named_in_words():
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU, whose name is its maker's choice")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert devices.set_up() == f"CPU, {cores} threads"


@pytest.mark.parametrize("asked", StyleOptions.option("precision").choices)
def test_every_precision_that_the_options_allow_becomes_a_dtype(asked):
    found = devices.choose_precision(asked)
    assert found in ("float32", "bfloat16")
    assert asked in ("auto", found)


@pytest.mark.parametrize(
    ("half", "dtype"), [(0.0027, "float32"), (0.0031, "float32"), (0.024, "float32"), (0.0015, "bfloat16")]
)
def test_auto_is_bfloat16_only_where_it_is_clearly_faster(monkeypatch, untried, half, dtype):
    clock(monkeypatch, {"float32": 0.003, "bfloat16": half})
    assert devices.choose_precision("auto") == dtype


def test_the_trial_is_made_once_with_both_in_turn_and_only_for_auto(monkeypatch, untried):
    done = clock(monkeypatch, {"float32": 0.003, "bfloat16": 0.002})
    for asked in ("float32", "bfloat16"):
        devices.choose_precision(asked)
    assert done == []
    devices.choose_precision("auto")
    trial = list(done)
    assert trial[-2 * devices.MOST_TRIALS :] == ["float32", "bfloat16"] * devices.MOST_TRIALS
    devices.choose_precision("auto")
    assert done == trial


def test_the_trial_grows_until_it_can_be_measured_and_no_further(monkeypatch, untried):
    sides: list[int] = []

    def convolution(dtype: str):
        return lambda side: sides.append(side) or 1e-5  # a GPU that nothing here can occupy

    monkeypatch.setattr(devices, "_timed_convolution", convolution)
    devices.bfloat16_speedup()
    least, largest = devices.TRIAL_SIDES
    assert (min(sides), max(sides)) == (least, largest)


def test_a_device_without_bfloat16_computes_in_float32(monkeypatch, untried):
    def convolution(dtype: str):
        def convolve(side: int) -> float:
            if dtype == "bfloat16":
                raise tf.errors.UnimplementedError(None, None, "no kernel")
            return 0.003

        return convolve

    monkeypatch.setattr(devices, "_timed_convolution", convolution)
    assert devices.choose_precision("auto") == "float32"


def test_a_processor_without_bfloat16_of_its_own_computes_in_float32():
    """As the program runs: in a process where TensorFlow chooses its kernels itself."""
    if tf.config.list_physical_devices("GPU") or not CPUINFO.exists():
        pytest.skip("needs a processor that Linux describes, and no GPU")
    if any(native in CPUINFO.read_text() for native in ("avx512_bf16", "amx_bf16", " bf16")):
        pytest.skip("this processor has instructions for bfloat16")
    code = "from nst.engine import devices; print(devices.choose_precision('auto'))"
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("float32", 0), done.stderr


def test_the_real_trial_is_short(untried):
    processor_time = time.process_time()
    assert devices.bfloat16_speedup() > 0
    # Of all cores together; what is measured is bounded, TensorFlow's first convolution comes on top.
    assert time.process_time() - processor_time < 2 * (os.cpu_count() or 1)
