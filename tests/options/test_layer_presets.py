"""The layers of presets and options on each network."""

import pytest

from nst.errors import OptionError
from nst.options.layer_presets import LAYER_PRESETS, nearest_layer
from nst.options.style_options import StyleOptions


@pytest.mark.parametrize("preset", LAYER_PRESETS)
@pytest.mark.parametrize("extractor", ["vgg19", "vgg16", "compact"])
def test_the_layers_of_a_preset_share_one(preset, extractor):
    for layers in StyleOptions(preset=preset).layers(extractor):
        assert sum(weight for _, weight in layers) == pytest.approx(1)


@pytest.mark.parametrize("extractor", ["vgg19", "compact"])
def test_the_preset_studio_weighs_early_style_layers_most(extractor):
    _, style = StyleOptions().layers(extractor)
    assert [weight for _, weight in style] == [0.44, 0.22, 0.22, 0.1, 0.02]


def test_only_layers_that_the_network_has_are_accepted():
    StyleOptions(extractor="compact", content_layers="block5_conv4,fire2", style_layers="block1_conv1").check_layers()
    StyleOptions(style_layers="block5_conv4").check_layers()
    with pytest.raises(OptionError, match=r"`style_layers`: the vgg16 network has no layer 'block3_conv4'; did you"):
        StyleOptions(extractor="vgg16", style_layers="block3_conv4").check_layers()
    with pytest.raises(OptionError, match=r"`content_layers`: the vgg19 network has no layer 'x'; it has block1_"):
        StyleOptions(content_layers="x").check_layers()


def test_given_layers_replace_those_of_the_preset():
    content, style = StyleOptions(preset="johnson", style_layers="block1_conv1=3").layers("vgg19")
    assert content == (("block3_conv3", 1.0),)
    assert style == (("block1_conv1", 3.0),)


def test_a_layer_that_the_built_in_network_lacks_is_replaced_by_the_nearest_before_it():
    options = StyleOptions(preset="neurastyle")
    assert options.layers("compact")[0] == (("block5_conv1", 1.0),)
    assert options.replaced_layers("compact") == {"block5_conv2": "block5_conv1"}
    assert options.replaced_layers("vgg19") == {}
    for preset in ("studio", "gatys", "johnson", "fast"):
        assert StyleOptions(preset=preset).replaced_layers("compact") == {}


@pytest.mark.parametrize("extractor", ["vgg19", "compact"])
def test_the_layers_of_version_0_1_are_those_of_vgg_at_their_resolution(extractor):
    options = StyleOptions(content_layers="fire3=2", style_layers="conv1=1,fire7=0.5,fire8=0.25,block2_conv1=1")
    content, style = options.layers(extractor)
    assert content == (("block3_conv1", 2.0),)
    assert style == (("block1_conv1", 1.0), ("block5_conv1", 0.75), ("block2_conv1", 1.0))
    assert options.replaced_layers(extractor) == {
        "fire3": "block3_conv1",
        "conv1": "block1_conv1",
        "fire7": "block5_conv1",
        "fire8": "block5_conv1",
    }
    steered = options.steered({"style_layers": {"conv1": 3.0}}, extractor)
    assert dict(steered.layers(extractor)[1]) == {"block1_conv1": 3.0, "block5_conv1": 0.0, "block2_conv1": 0.0}


@pytest.mark.parametrize("layer", ["fire9", "stage3_conv2", "block9_conv1", "block3", ""])
def test_a_layer_that_no_network_has_is_left_for_the_network_to_refuse(layer):
    assert nearest_layer(layer, "compact") == layer


def test_layers_keep_their_order_and_those_left_out_get_weight_zero():
    before = StyleOptions().layers("compact")[1]
    names = [layer for layer, _ in before]
    options = StyleOptions().steered({"style_layers": {names[2]: 3.0}}, "compact")
    assert options.layers("compact")[1] == tuple((name, 3.0 if name == names[2] else 0.0) for name in names)
    assert options.layers("compact")[0] == StyleOptions().layers("compact")[0]
    back = options.steered({"style_layers": None}, "compact")
    assert back.layers("compact")[1] == before
    with pytest.raises(OptionError, match=r"`style_layers`: this run does not use the layer 'fire9'"):
        options.steered({"style_layers": {"fire9": 1.0}}, "compact")
