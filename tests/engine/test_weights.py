import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from nst.engine import weights
from nst.engine.extractors import ARCHITECTURES
from nst.errors import Cancelled, Unfetched, WeightsError
from tests.engine.files import FILE, Layers, Server, md5, write_notop

SHAPES = {"block1_conv1": (3, 3, 3, 4), "block1_conv2": (3, 3, 4, 4), "block2_conv1": (3, 3, 4, 6)}


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches of our own, and nothing else in the environment."""
    for variable in ("NST_VGG19_WEIGHTS", "NST_VGG16_WEIGHTS", "NST_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NO_PROXY", "*")  # the loopback is no business of a proxy


@pytest.fixture(scope="session")
def layers() -> Layers:
    random = np.random.default_rng(1)
    return {
        layer: (random.normal(size=shape).astype(np.float32), random.normal(size=shape[-1]).astype(np.float32))
        for layer, shape in SHAPES.items()
    }


@pytest.fixture(scope="session")
def notop(layers: Layers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_notop(tmp_path_factory.mktemp("notop") / FILE, layers)


def same(found: Layers, expected: Layers) -> bool:
    return found.keys() == expected.keys() and all(
        np.array_equal(ours, theirs) and ours.dtype == np.float32
        for layer in expected
        for ours, theirs in zip(found[layer], expected[layer], strict=True)
    )


# --- where they are


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


# --- reading them


def test_the_compact_network_ships():
    shapes = ARCHITECTURES["compact"].shapes()
    found = weights.load("compact", shapes)
    assert {layer: kernel.shape for layer, (kernel, _) in found.items()} == shapes
    assert {array.dtype for pair in found.values() for array in pair} == {np.dtype("float32")}
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
        for name, shape in ARCHITECTURES[source].shapes().items()
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
        weights.load("compact", {"block1_conv1": (3, 3, 3, 4)})


# --- fetching them


@pytest.fixture
def server(notop: Path) -> Iterator[Server]:
    with Server(notop.read_bytes()) as running:
        yield running


def fetch(server: Server, **changes: object) -> tuple[Path, list[tuple[int, int]]]:
    """(the file, the progress told)."""
    told: list[tuple[int, int]] = []
    settings = {"url": server.url, "md5": md5(server.data), "timeout": 20, "attempts": 3, "pause": 0} | changes
    return weights.fetch("vgg19", lambda *numbers: told.append(numbers), **settings), told


def left_in_the_cache(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "weights"
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_download_is_installed_and_loads(server, layers, tmp_path):
    path, told = fetch(server)
    assert path == weights.locate("vgg19")
    assert same(weights.load("vgg19", SHAPES), layers)
    assert told == sorted(told)
    assert told[-1] == (len(server.data), len(server.data))
    assert {size for _, size in told} == {len(server.data)}
    assert left_in_the_cache(tmp_path) == [FILE]


def test_what_is_there_is_not_fetched_again_unless_it_is_damaged(server):
    path, _ = fetch(server)
    assert fetch(server)[1] == [(len(server.data), len(server.data))]
    assert len(server.asked) == 1
    cut(path)
    assert fetch(server)[0].read_bytes() == server.data


def test_a_download_that_was_cut_off_goes_on_where_it_stopped(server, tmp_path):
    server.plan = ["cuts off", "cuts off"]
    path, told = fetch(server)
    half = len(server.data) // 2
    three_quarters = half + (len(server.data) - half) // 2
    assert server.asked == [None, f"bytes={half}-", f"bytes={three_quarters}-"]
    assert path.read_bytes() == server.data
    assert {size for _, size in told} == {len(server.data)}
    assert left_in_the_cache(tmp_path) == [FILE]


def test_a_later_call_goes_on_too(server, tmp_path):
    server.plan = ["cuts off"]
    with pytest.raises(WeightsError, match=r"the connection broke after \d+ of \d+ bytes; gave up after 1 attempt"):
        fetch(server, attempts=1)
    assert left_in_the_cache(tmp_path) == [f"{FILE}.part"]
    assert weights.locate("vgg19") is None
    assert fetch(server)[0].read_bytes() == server.data
    assert server.asked[1] == f"bytes={len(server.data) // 2}-"


@pytest.mark.parametrize("behaviour", ["ignores ranges", "sends another range"])
def test_a_server_that_does_not_continue_is_listened_to_from_the_start(behaviour, server):
    server.plan = ["cuts off", behaviour]
    assert fetch(server)[0].read_bytes() == server.data


def test_a_server_that_names_no_length_is_believed_by_the_hash(server):
    server.plan = ["says no length"]
    path, told = fetch(server)
    assert path.read_bytes() == server.data
    assert told[0][1] == 0


def test_a_server_that_stalls_is_given_up_and_asked_again(server):
    server.plan = ["stalls"]
    assert fetch(server, timeout=0.2)[0].read_bytes() == server.data
    assert len(server.asked) == 2


def test_a_server_that_only_stalls_is_an_error_in_words(server):
    server.plan = ["stalls"] * 2
    with pytest.raises(WeightsError, match=r"no byte came for 0\.2 s; gave up after 2 attempts"):
        fetch(server, timeout=0.2, attempts=2)


def test_a_file_with_another_hash_is_never_installed(server, tmp_path):
    server.plan = ["lies"]
    with pytest.raises(WeightsError, match=f"nothing was installed .* must be {md5(server.data)}, got [0-9a-f]{{32}}"):
        fetch(server)
    assert len(server.asked) == 1
    assert left_in_the_cache(tmp_path) == []


def test_a_wrong_beginning_is_thrown_away_and_fetched_again(server, tmp_path):
    part = tmp_path / "cache" / "weights" / f"{FILE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"from another time")
    assert fetch(server)[0].read_bytes() == server.data
    part.write_bytes(b"y" * (len(server.data) + 1))
    weights.locate("vgg19").unlink()
    assert fetch(server)[0].read_bytes() == server.data
    assert server.asked == ["bytes=17-", None, f"bytes={len(server.data) + 1}-", None]


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (500, 3), (503, 3), (429, 3)])
def test_an_error_of_the_server_is_told_and_only_tried_again_where_that_may_help(status, asked, server, tmp_path):
    server.plan = [status] * 3
    with pytest.raises(WeightsError, match=f"{re.escape(server.url)}: the server answered {status} "):
        fetch(server)
    assert len(server.asked) == asked
    assert left_in_the_cache(tmp_path) == []


def test_a_server_that_is_not_there_is_an_error_in_words(notop):
    with Server(notop.read_bytes()) as gone:
        pass
    with pytest.raises(WeightsError, match=r"could not download http://127\.0\.0\.1.*refused"):
        fetch(gone)


def test_an_address_that_is_no_web_address_is_refused(server):
    with pytest.raises(WeightsError, match=r"must begin with http:// or https://, got 'file:///etc/passwd'"):
        fetch(server, url="file:///etc/passwd")


def test_offline_nothing_is_asked(server, monkeypatch):
    monkeypatch.setenv("NST_OFFLINE", "1")
    with pytest.raises(WeightsError, match="NST_OFFLINE forbids it"):
        fetch(server)
    assert server.asked == []


def test_offline_what_is_there_is_still_found(server, monkeypatch):
    path, _ = fetch(server)
    monkeypatch.setenv("NST_OFFLINE", "1")
    assert fetch(server)[0] == path


def test_a_file_larger_than_the_free_disk_is_refused_before_it_is_received(server):
    server.plan = ["promises the moon"]
    with pytest.raises(WeightsError, match=r"cannot keep the weights of vgg19 in .*: the disk is full"):
        fetch(server)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to write to")
def test_a_disk_that_fills_up_on_the_way_is_told(server, tmp_path):
    part = tmp_path / "cache" / "weights" / f"{FILE}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with pytest.raises(WeightsError, match="the disk is full"):
        fetch(server)
    assert weights.locate("vgg19") is None


def test_a_cache_that_cannot_be_made_is_told(server, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="cannot keep the weights of vgg19"):
        fetch(server)


def test_threads_that_fetch_at_once_share_one_download(server):
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(fetch(server)[0].read_bytes())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [server.data] * 4
    assert len(server.asked) == 1


ELSEWHERE = """
import runpy, sys
runpy.run_path(sys.argv[1])["fetch"]("vgg19", lambda *_: None, sys.argv[2], md5=sys.argv[3], pause=0)
assert not {"keras", "tensorflow"} & set(sys.modules)
"""


def test_processes_that_fetch_at_once_share_one_download_and_need_no_tensorflow(server, tmp_path):
    server.plan = ["cuts off"]
    file = Path(weights.__file__)
    command = [sys.executable, "-c", ELSEWHERE, file, server.url, md5(server.data)]
    environment = {**os.environ, "PYTHONPATH": str(file.parents[2])}
    started = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in started] == [""] * 3
    assert weights.locate("vgg19").read_bytes() == server.data
    assert len(server.asked) == 2
    assert left_in_the_cache(tmp_path) == [FILE]


# --- cancelling


def cancelled(server: Server, stop: threading.Event, **changes: object) -> None:
    """A fetch that is cancelled long before its patience ends."""
    began = time.monotonic()
    with pytest.raises(Cancelled, match="the download was cancelled"):
        fetch(server, stop=stop, timeout=60, pause=60, **changes)
    assert time.monotonic() - began < 30


def once(happened: threading.Event, stop: threading.Event) -> None:
    """Set `stop` when `happened` is."""
    threading.Thread(target=lambda: happened.wait(60) and stop.set(), daemon=True).start()


@pytest.mark.parametrize("behaviour", ["stalls", "says nothing", 503])
def test_a_download_that_is_cancelled_ends_at_once_and_leaves_nothing(behaviour, server, tmp_path):
    server.plan, stop = [behaviour], threading.Event()
    once(server.came, stop)
    cancelled(server, stop)
    assert len(server.asked) == 1
    assert left_in_the_cache(tmp_path) == []
    assert weights.locate("vgg19") is None


def test_what_an_earlier_attempt_left_goes_with_the_one_that_is_cancelled(server, tmp_path):
    server.plan = ["cuts off"]
    with pytest.raises(Unfetched):
        fetch(server, attempts=1)
    assert left_in_the_cache(tmp_path) == [f"{FILE}.part"]
    stop = threading.Event()
    stop.set()
    cancelled(server, stop)
    assert len(server.asked) == 1
    assert left_in_the_cache(tmp_path) == []


def test_who_waits_for_another_download_sees_it_grow_and_leaves_it_alone_when_cancelled(server, tmp_path):
    server.plan, stop, told = ["stalls"], threading.Event(), []

    def progress(received: int, size: int) -> None:
        told.append((received, size))
        if received:
            stop.set()

    first = threading.Thread(target=fetch, args=(server,))
    first.start()
    assert server.came.wait(60)
    assert weights.being_fetched("vgg19")
    with pytest.raises(Cancelled):
        weights.fetch("vgg19", progress, server.url, md5=md5(server.data), stop=stop)
    assert told[-1] == (len(server.data) // 2, weights.SOURCES["vgg19"].size)
    server.release.set()
    first.join()
    assert left_in_the_cache(tmp_path) == [FILE]
    assert not weights.being_fetched("vgg19")


BRIEFLY: dict[str, tuple[list[str | int], str, bool]] = {
    "not found": ([404], "its server refuses to give it", False),
    "busy": ([503] * 3, "there is no connection to its server, or it broke", True),
    "cut off": (["cuts off"] * 9, "there is no connection to its server, or it broke", True),
    "another file": (["lies"], "what came was not the file that was meant", False),
    "too large": (["promises the moon"], "there is no way to keep it: the disk is full", False),
}


@pytest.mark.parametrize("case", BRIEFLY)
def test_why_it_failed_is_told_in_brief_without_an_address(case, server):
    server.plan, brief, passing = BRIEFLY[case]
    with pytest.raises(Unfetched) as caught:
        fetch(server)
    assert (caught.value.brief, caught.value.passing) == (brief, passing)


def test_without_a_network_it_may_be_tried_again_and_offline_not(notop, monkeypatch):
    with Server(notop.read_bytes()) as gone:
        pass
    with pytest.raises(Unfetched) as caught:
        fetch(gone)
    assert (caught.value.brief, caught.value.passing) == ("there is no connection to its server, or it broke", True)
    monkeypatch.setenv("NST_OFFLINE", "1")
    with pytest.raises(Unfetched) as caught:
        fetch(gone)
    assert (caught.value.brief, caught.value.passing) == ("NST_OFFLINE forbids it", False)
