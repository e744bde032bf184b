import pytest

from nst.engine.networks.choose_extractor import choose_extractor, load_extractor
from nst.errors import WeightsError


def test_a_network_is_loaded_once():
    assert load_extractor("compact") is load_extractor("compact")


def test_each_precision_has_its_own_extractor_and_all_are_kept():
    found = {dtype: choose_extractor("compact", precision=dtype)[0] for dtype in ("float32", "bfloat16")}
    for dtype, extractor in found.items():
        assert extractor.dtype == dtype
        assert load_extractor("compact", "auto", dtype) is extractor


def test_auto_is_compact_without_vgg_weights_and_the_note_says_how_to_get_them(monkeypatch, tmp_path):
    for variable in ("NST_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("NST_VGG19_WEIGHTS", "NST_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    network, note = choose_extractor("auto")
    assert network.architecture.name == "compact"
    assert "nst weights fetch vgg19" in note
    with pytest.raises(WeightsError, match="vgg19"):
        load_extractor("vgg19")


def test_auto_is_compact_where_vgg_weights_are_damaged_and_the_note_names_the_file(monkeypatch, tmp_path):
    damaged = tmp_path / "vgg19.h5"
    damaged.write_bytes(b"half a file")
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(damaged))
    network, note = choose_extractor("auto")
    assert network.architecture.name == "compact"
    assert str(damaged) in note
    assert "built-in network is used" in note
