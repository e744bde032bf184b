import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from nst.engine.networks import weights
from nst.engine.networks.extractors import ARCHITECTURES
from nst.errors import WeightsError
from tests.engine.files import FILE, SHAPES, Layers, same, write_notop

pytestmark = pytest.mark.usefixtures("empty_caches")

# Where the files are -----------------------------------------------------------------------------------------------


def install(folder: Path, source: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(source, folder / FILE))


def test_a_named_file_comes_before_our_cache_and_that_before_keras(notop, tmp_path, monkeypatch):
    assert weights.locate("vgg19") is None
    in_keras = install(tmp_path / "keras" / "models", notop)
    assert weights.locate("vgg19") == in_keras
    in_cache = install(tmp_path / "cache" / "weights", notop)
    assert weights.locate("vgg19") == in_cache
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(notop))
    assert weights.locate("vgg19") == notop
    assert weights.locate("vgg16") is None


def test_a_named_file_that_is_missing_is_never_replaced_in_silence(notop, tmp_path, monkeypatch):
    install(tmp_path / "cache" / "weights", notop)
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(tmp_path / "typo.h5"))
    assert weights.locate("vgg19") is None
    assert "NST_VGG19_WEIGHTS names" in weights.how_to_get("vgg19")
    with pytest.raises(WeightsError, match=r"typo\.h5"):
        weights.load("vgg19", SHAPES)


@pytest.mark.parametrize(("name", "megabytes"), [("vgg19", 80), ("vgg16", 59)])
def test_how_to_get_them_names_the_command_the_size_and_the_variable(name, megabytes):
    words = weights.how_to_get(name)
    assert f"`nst weights fetch {name}` ({megabytes} MB)" in words
    assert f"NST_{name.upper()}_WEIGHTS" in words
    with pytest.raises(WeightsError, match=f"fetch {name}"):
        weights.load(name, SHAPES)


def test_an_unknown_network_is_refused():
    with pytest.raises(WeightsError, match="no weights for 'vgg17'; known are vgg19, vgg16 and compact"):
        weights.locate("vgg17")


def test_the_source_is_the_one_keras_itself_uses():
    from keras.src.applications import vgg16, vgg19

    for name, module in (("vgg19", vgg19), ("vgg16", vgg16)):
        source = weights.SOURCES[name]
        assert source.url == module.WEIGHTS_PATH_NO_TOP
        assert source.md5 in Path(module.__file__).read_text(encoding="utf-8")


# Reading them ------------------------------------------------------------------------------------------------------


def test_the_compact_network_ships():
    shapes = ARCHITECTURES["compact"].shapes()
    found = weights.load("compact", shapes)
    assert {layer: tuple(kernel.shape for kernel in kernels) for layer, (*kernels, _) in found.items()} == shapes
    assert {array.dtype for arrays in found.values() for array in arrays} == {np.dtype("float32")}
    assert weights.how_to_get("compact") == ""
    assert weights.fetch("compact", lambda received, size: None) == weights.locate("compact")


def test_the_layout_of_keras_applications_is_read(notop, layers, monkeypatch):
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(notop))
    assert same(weights.load("vgg19", SHAPES), layers)


@pytest.fixture(scope="module")
def keras_model(layers: Layers) -> object:
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3))])
    for layer, (kernel, bias) in layers.items():
        convolution = keras.layers.Conv2D(kernel.shape[-1], 3, name=layer)
        model.add(convolution)
        convolution.set_weights([kernel, bias])
    return model


def test_keras_reads_the_file_these_tests_make_as_one_of_its_own(keras_model, notop, layers):
    for layer in keras_model.layers:
        layer.set_weights([np.zeros_like(array) for array in layers[layer.name]])
    keras_model.load_weights(notop)
    assert same({layer.name: tuple(layer.get_weights()) for layer in keras_model.layers}, layers)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # TensorFlow's variables do not know NumPy 2's `copy`
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("name", ["own.weights.h5", "whole.h5"])
def test_files_that_keras_writes_today_are_read_too(name, keras_model, layers, tmp_path, monkeypatch):
    path = tmp_path / name
    (keras_model.save_weights if "weights" in name else keras_model.save)(path)
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(path))
    assert same(weights.load("vgg19", SHAPES), layers)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:3000] = b"?" * 2900
    path.write_bytes(data)


def transpose(path: Path) -> None:
    with h5py.File(path, "a") as file:
        group = file["block1_conv2"]
        del group["block1_conv2_b_1:0"]
        group["block1_conv2_b_1:0"] = np.zeros(5, np.float32)


def forget_a_layer(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["block2_conv1"]


def take_another_network(path: Path) -> None:
    write_notop(path, {f"conv{n}_{part}": (np.zeros((3, 3, 3, 4)), np.zeros(4)) for n in range(5) for part in (1, 2)})


def count_in_whole_numbers(path: Path) -> None:
    retype(path, np.int8)


def retype(path: Path, dtype: type, value: float = 1.0) -> None:
    """Store a layer's kernel as `dtype`, full of `value`."""
    with h5py.File(path, "a") as file:
        name = "block1_conv2/block1_conv2_W_1:0"
        shape = file[name].shape
        del file[name]
        file[name] = np.full(shape, value, dtype)


def poison(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["block1_conv1/block1_conv1_W_1:0"][0, 0, 0, 0] = np.nan


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is damaged or no weights file: it must be an HDF5 file"),
    "a web page": (lambda path: path.write_text("<html>"), "is damaged or no weights file: it must be an HDF5 file"),
    "cut off": (cut, "is cut off: it must be an HDF5 file"),
    "scribbled over": (scribble, "is damaged or no weights file"),
    "an empty HDF5 file": (lambda path: h5py.File(path, "w").close(), "must have a layer block1_conv1, got none"),
    "of other shapes": (
        transpose,
        r"of block1_conv2 must have the shapes \(3, 3, 4, 4\) and \(4,\), got .* and \(5,\)",
    ),
    "a layer short": (forget_a_layer, "must have a layer block2_conv1, got block1_conv1, block1_conv2"),
    "of another network": (
        take_another_network,
        "must have a layer block1_conv1, got conv0_1, conv0_2, conv1_1, conv1_2, conv2_1, conv2_2 and 4 more",
    ),
    "of whole numbers": (
        count_in_whole_numbers,
        "the values of block1_conv2 must be float16, float32, float64, got int8",
    ),
    "not finite": (poison, "the values of block1_conv1 must be finite numbers"),
    "too large": (
        lambda path: retype(path, np.float64, 1e300),
        "the values of block1_conv2 must be finite numbers",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_file_is_refused_with_its_name_the_rule_and_the_value(case, notop, tmp_path, monkeypatch):
    damage, words = DAMAGE[case]
    path = Path(shutil.copy(notop, tmp_path / "mine.h5"))
    damage(path)
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(path))
    with pytest.raises(WeightsError, match=words) as caught:
        weights.load("vgg19", SHAPES)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floating_point_numbers_are_read_as_float32(dtype, notop, tmp_path, monkeypatch):
    path = Path(shutil.copy(notop, tmp_path / "mine.h5"))
    retype(path, dtype, 0.1)
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(path))
    kernel, _ = weights.load("vgg19", SHAPES)["block1_conv2"]
    assert (kernel.dtype, kernel.max()) == (np.dtype("float32"), np.float32(dtype(0.1)))


@pytest.mark.parametrize(("extractor", "layer"), [("vgg19", "block3_conv4"), ("vgg16", None)])
def test_the_weights_of_the_smaller_vgg_do_not_pass_for_the_larger(extractor, layer, tmp_path, monkeypatch):
    """VGG16 lacks the fourth convolutions of VGG19; what VGG19 has beyond VGG16 is left alone."""
    source = "vgg16" if layer else "vgg19"
    file = write_notop(tmp_path / "w.h5", {
        name: (np.zeros(shape, np.float32), np.zeros(shape[-1], np.float32))
        for name, (shape,) in ARCHITECTURES[source].shapes().items()
    })  # fmt: skip
    monkeypatch.setenv(f"NST_{extractor.upper()}_WEIGHTS", str(file))
    if layer:
        with pytest.raises(WeightsError, match=f"must have a layer {layer}, got block1_conv1, .* and 7 more$"):
            weights.load(extractor, ARCHITECTURES[extractor].shapes())
    else:
        assert weights.load(extractor, ARCHITECTURES[extractor].shapes())


def test_what_can_be_fetched_is_what_no_variable_names_and_the_settings_allow(tmp_path, monkeypatch):
    assert [weights.fetchable(name) for name in ("vgg19", "vgg16", "compact")] == [True, True, False]
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(tmp_path / "typo.h5"))
    assert [weights.fetchable(name) for name in ("vgg19", "vgg16")] == [False, True]
    monkeypatch.setenv("NST_OFFLINE", "1")
    assert not weights.fetchable("vgg16")
    words = weights.how_to_get("vgg16")
    assert words == "NST_OFFLINE forbids fetching VGG16's; NST_VGG16_WEIGHTS may name a file of them."


def test_a_pickle_in_the_built_in_file_is_never_opened(tmp_path, monkeypatch):
    path = tmp_path / "compact.npz"
    np.savez(path, **{"block1_conv1/kernel": np.array([{}], object), "block1_conv1/bias": np.zeros(4)})
    monkeypatch.setattr(weights, "BUILTIN", path)
    with pytest.raises(WeightsError, match="must be the file that ships"):
        weights.load("compact", {"block1_conv1": ((3, 3, 3, 4),)})
