import hashlib
import io
import json
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nst.errors import ImageError, InputError, NoSettings, OptionError
from nst.options.fast_options import FastOptions
from nst.options.style_options import StyleOptions
from nst.pictures import embedded_text
from nst.pictures.embedded_text import MAX_LENGTH
from nst.pictures.images import encode_jpeg, encode_png
from nst.pictures.provenance import (
    FAST,
    KEYWORD,
    FastProvenance,
    Provenance,
    read,
    read_any_file,
    read_file,
)
from tests.pictures.picture_files import chunk

modest = settings(derandomize=True, deadline=None, max_examples=200)
GREY = np.full((16, 16, 3), 0.5, np.float32)
WHOLE = Provenance(
    version="0.1.0",
    versions={"python": "3.11.9", "tensorflow": "2.21.0"},
    extractor="compact",
    precision="float32",
    options=StyleOptions(epochs=12, strength=2.5, style_layers="conv1=1,fire2=0.5", init="image"),
    steered=((10, {"strength": 4.0}), (25, {"tv_weight": None, "style_layers": {"conv1": 0.5}})),
    epochs=20,
    content=hashlib.sha256(b"content").hexdigest(),
    style=hashlib.sha256(b"style").hexdigest(),
    init=hashlib.sha256(b"init").hexdigest(),
    more_styles=(hashlib.sha256(b"second").hexdigest(),),
    mask=hashlib.sha256(b"mask").hexdigest(),
    branched=True,
)


def png(text: str | None) -> bytes:
    return encode_png(GREY, text={} if text is None else {KEYWORD: text})


def changed(**values: object) -> bytes:
    return png(json.dumps({**WHOLE.to_json(), **values}))


def test_settings_are_read_as_they_were_written():
    found = read(png(WHOLE.to_text()), "out.png")
    assert found == WHOLE
    assert found.to_json() == WHOLE.to_json()


def test_other_programs_can_read_the_text():
    with Image.open(io.BytesIO(png(WHOLE.to_text()))) as picture:
        kept = json.loads(picture.text[KEYWORD])
    keys = "nst versions extractor precision options steered epochs content style init more_styles mask branched"
    assert list(kept) == keys.split()
    assert kept["nst"] == "0.1.0"
    assert kept["steered"][0] == {"step": 10, "changes": {"strength": 4.0}}


def test_a_file_is_read_without_its_pixels(tmp_path):
    path = tmp_path / "out.png"
    data = png(WHOLE.to_text())
    path.write_bytes(data[: data.index(b"IDAT") + 8])
    assert read_file(path) == WHOLE


def test_settings_of_an_older_version_are_read_and_what_they_lack_is_empty():
    options = StyleOptions(epochs=7, seed=3)
    old = {"nst": "0.0.9", "extractor": "vgg19", "precision": "bfloat16", "options": options.to_json()}
    found = read(png(json.dumps(old)), "old.png")
    assert found == Provenance("0.0.9", {}, "vgg19", "bfloat16", options, (), 7, "", "")


# As a program wrote it before runs could have several paintings, a mask, or a transfer of colors.
EARLY = """\
{"nst": "0.1.0", "versions": {"python": "3.11.9", "tensorflow": "2.21.0"}, "extractor": "vgg19", \
"precision": "bfloat16", "options": {"epochs": 7, "size": 512, "strength": 2.5, "extractor": "auto", "seed": 3, \
"init": "noise", "keep_colors": false, "style_scale": 1.0, "content_weight": null, "style_weight": null, \
"tv_weight": null, "normalisation": "relative", "preset": "studio", "content_layers": null, "style_layers": null, \
"pooling": "auto", "optimizer": "lbfgs", "learning_rate": 0.03, "steps_per_epoch": 5, "precision": "auto"}, \
"steered": [{"step": 10, "changes": {"strength": 4.0}}], "epochs": 8, \
"content": "1111111111111111111111111111111111111111111111111111111111111111", \
"style": "2222222222222222222222222222222222222222222222222222222222222222", "init": null, "branched": false}"""


def test_the_text_of_an_early_result_is_read():
    options = StyleOptions(epochs=7, strength=2.5, seed=3, color_transfer=0.0, neighbor_weight=0.0)
    assert read(png(EARLY), "early.png") == Provenance(
        version="0.1.0",
        versions={"python": "3.11.9", "tensorflow": "2.21.0"},
        extractor="vgg19",
        precision="bfloat16",
        options=options,
        steered=((10, {"strength": 4.0}),),
        epochs=8,
        content="1" * 64,
        style="2" * 64,
    )


def test_auto_is_resolved_to_what_was_used():
    resolved = read(png(WHOLE.to_text()), "out.png").resolved
    assert (resolved.extractor, resolved.precision, resolved.strength) == ("compact", "float32", 2.5)
    assert WHOLE.options.extractor == "auto"


def test_changes_are_in_the_order_of_their_steps():
    found = read(changed(steered=[{"step": 9, "changes": {"strength": 2}}, {"step": 4, "changes": {}}]), "x.png")
    assert [step for step, _ in found.steered] == [4, 9]


def test_a_picture_of_another_program_carries_no_settings():
    for data in (png(None), encode_png(GREY, text={"Comment": "nst", "nst2": "{}"}), png(None)[:40]):
        with pytest.raises(ImageError) as caught:
            read(data, "x.png")
        assert str(caught.value) == "'x.png' carries no settings of this program"


@pytest.mark.parametrize("data", [b"", b"RIFF0000WEBP", b"GIF89a", b"{}"])
def test_only_a_png_or_a_jpeg_is_read(data):
    with pytest.raises(ImageError, match=r"^'x\.jpg' must be a PNG or a JPEG that this program painted$"):
        read(data, "x.jpg")


def test_a_missing_file_and_a_folder_are_refused_in_one_line(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(ImageError, match=r"^'.*' cannot be read: [^\n]*$"):
            read_file(path)


def test_a_text_of_more_than_64_kilobytes_is_refused():
    with pytest.raises(ImageError, match=r"^the settings in 'x\.png' must take at most 65536 bytes, got 65537$"):
        read(png(" " * (MAX_LENGTH + 1)), "x.png")
    read(png(WHOLE.to_text().ljust(MAX_LENGTH)), "x.png")


def test_a_long_text_of_another_program_is_ignored():
    both = {"Comment": "x" * (2 * MAX_LENGTH), KEYWORD: WHOLE.to_text()}
    assert read(encode_png(GREY, text=both), "x.png") == WHOLE


def with_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG that consists of its header and of these chunks."""
    body = b"".join(struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return png(None)[:33] + body


def test_a_compressed_text_is_read_but_not_one_that_expands_without_bounds():
    start, end = b"nst\0\0", (b"IDAT", b"")
    compressed = with_chunks((b"zTXt", start + zlib.compress(WHOLE.to_text().encode())), end)
    assert read(compressed, "x.png") == WHOLE
    for size, words in ((2**19, "must take at most 65536 bytes, got 524288"), (2**26, "carries no settings")):
        bomb = with_chunks((b"zTXt", start + zlib.compress(bytes(size))), end)
        tracemalloc.start()
        with pytest.raises(ImageError, match=words):
            read(bomb, "x.png")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**23  # and not the 64 megabytes of the larger one


def test_settings_of_a_picture_too_large_to_be_decoded_are_read():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    data = png(WHOLE.to_text())
    assert read(data[:8] + chunk + data[33:], "x.png") == WHOLE


DAMAGED = ["", "nonsense", "[" * 60000, "{'nst': 1}", "9" * 5000]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_text_that_is_no_json_is_damaged(text):
    with pytest.raises(ImageError, match=r"^the settings in 'x\.png' are damaged: they must be JSON, got "):
        read(png(text), "x.png")


WRONG = {
    "an unknown part": ({"exractor": "vgg19"}, "`settings` has no 'exractor'; did you mean 'extractor'?"),
    "a version with an escape": ({"nst": "\x1b[2J"}, "`nst` must be at most 80 printable characters"),
    "a version of pages": ({"nst": "1" * 81}, "`nst` must be at most 80 printable characters"),
    "a package with a newline": ({"versions": {"a\nb": "1"}}, "`versions` must be at most 80 printable characters"),
    "versions in a list": ({"versions": []}, "`versions` must be an object of names and values, got []"),
    "an unknown network": ({"extractor": "vgg29"}, "`extractor` must be one of"),
    "a precision in bits": ({"precision": 16}, "`precision` must be one of"),
    "an unknown option": ({"options": {"epcohs": 3}}, "there is no option 'epcohs'; did you mean 'epochs'?"),
    "an option out of bounds": ({"options": {"size": 10**9}}, "`size` must be a whole number between 64 and 4096"),
    "options in a list": ({"options": [1]}, "options must be an object"),
    "steering in words": ({"steered": "twice"}, "`steered` must be a list, got 'twice'"),
    "steering of an option with an earlier name": (
        {"steered": [{"step": 1, "changes": {"normalisation": "gatys"}}]},
        "'normalization' cannot change during a run",
    ),
    "steering of nothing": ({"steered": [7]}, "`steered` must be an object of names and values, got 7"),
    "steering with more": ({"steered": [{"step": 1, "changes": {}, "to": 2}]}, "`steered` has no 'to'"),
    "steering without a step": ({"steered": [{"changes": {}}]}, "`step` must be a whole number"),
    "steering before the start": ({"steered": [{"step": -1, "changes": {}}]}, "between 0 and 100000000, got -1"),
    "steering what cannot change": ({"steered": [{"step": 1, "changes": {"size": 64}}]}, "'size' cannot change during"),
    "steering out of bounds": ({"steered": [{"step": 1, "changes": {"strength": 0}}]}, "`strength` must be"),
    "epochs of a fraction": ({"epochs": 1.5}, "`epochs` must be a whole number between 0 and 100000000, got 1.5"),
    "epochs of a truth": ({"epochs": True}, "`epochs` must be a whole number"),
    "a hash too short": ({"content": "abc"}, "`content` must be the SHA-256 of a file in hexadecimal, got 'abc'"),
    "a hash of nothing": ({"style": None}, "`style` must be the SHA-256"),
    "a start in numbers": ({"init": 5}, "`init` must be the SHA-256"),
    "a branch in words": ({"branched": "yes"}, "`branched` must be true or false, got 'yes'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_error_of_a_wrong_value_names_the_file_the_rule_and_the_value(case):
    values, words = WRONG[case]
    with pytest.raises(OptionError) as caught:
        read(changed(**values), "x.png")
    error = str(caught.value)
    assert error.startswith("the settings in 'x.png': ")
    assert words in error
    assert "\n" not in error
    assert error.isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@modest
@given(name=st.sampled_from(list(WHOLE.to_json())), value=JSON)
def test_any_json_value_is_read_or_refused_in_one_line(name, value):
    try:
        found = read(changed(**{name: value}), "x.png")
    except InputError as error:
        refusal = str(error)
    else:
        refusal = "" if read(png(found.to_text()), "x.png") == found else "what was read is not what is written\n"
    assert "\n" not in refusal


@modest
@given(chunks=st.lists(st.tuples(st.sampled_from([b"tEXt", b"zTXt", b"IDAT"]), st.binary(max_size=40)), max_size=4),
       cut=st.integers(0, 60))  # fmt: skip
def test_a_file_of_any_chunks_is_refused_in_one_line(chunks, cut):
    data = with_chunks(*chunks)
    with pytest.raises(ImageError):
        read(data[: len(data) - cut], "x.png")


FAST_WHOLE = FastProvenance("0.1.0", "0123456789abcdef", {"waves": 0.75, "dots": 0.25}, FastOptions(strength=0.5))


def fast_png(**values: object) -> bytes:
    return encode_png(GREY, text={FAST: json.dumps({**FAST_WHOLE.to_json(), **values})})


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_file_of_more_parts_than_pictures_have_is_refused_before_they_are_parsed(kind, monkeypatch):
    if kind == "PNG":
        at, part, parser = 33, chunk(b"teSt", b""), "PngImageFile"
        data = png(WHOLE.to_text())
    else:
        at, part, parser = 2, b"\xff\xe5\x00\x02", "JpegImageFile"
        data = encode_jpeg(GREY, comment=f"{KEYWORD}\0{WHOLE.to_text()}")
    assert read(data[:at] + part * 900 + data[at:], "out") == WHOLE
    monkeypatch.setattr(embedded_text, parser, None)
    with pytest.raises(ImageError, match=r"'out' must have at most 1000 \w+ before its pixels, got more"):
        read(data[:at] + part * 300_000 + data[at:], "out")


@pytest.mark.parametrize("junk", [b"\xff" * 50, b"\x00" * 50, b"\xff\xd0\x00\x40" + bytes(62), b"\xff\xe5\x00\x01"])
def test_a_jpeg_with_bytes_between_its_segments_carries_no_settings(junk):
    data = encode_jpeg(GREY, comment=f"{KEYWORD}\0{WHOLE.to_text()}")
    with pytest.raises(NoSettings, match="'out' carries no settings"):
        read(data[:2] + junk + data[2:], "out")


def test_settings_of_a_png_painted_in_one_pass_are_read(tmp_path):
    path = tmp_path / "fast.png"
    path.write_bytes(fast_png())
    assert read_any_file(path) == FAST_WHOLE
    path.write_bytes(png(WHOLE.to_text()))
    assert read_any_file(path) == WHOLE


def test_settings_of_a_jpeg_painted_in_one_pass_are_read(tmp_path):
    path = tmp_path / "fast.jpg"
    path.write_bytes(encode_jpeg(GREY, comment=f"{FAST}\0{FAST_WHOLE.to_text()}"))
    assert read_any_file(path) == FAST_WHOLE
    whole = path.read_bytes()
    for end in (2, 5, 30, whole.index(FAST.encode()) + 20):
        path.write_bytes(whole[:end])
        with pytest.raises(ImageError, match=r"carries no settings|are damaged"):
            read_any_file(path)
    path.write_bytes(encode_jpeg(GREY, comment="holidays"))
    with pytest.raises(ImageError, match="carries no settings"):
        read_any_file(path)


def test_a_picture_painted_in_one_pass_has_no_settings_of_a_run():
    with pytest.raises(ImageError, match="was painted in one pass"):
        read(fast_png(), "fast.png")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"mix": {}}, "a mix must be of 1 to 4 styles, got 0"),
        ({"mix": {"waves": "much"}}, "the weight of 'waves' must be a number"),
        ({"mix": {"\x1b[2J": 1}}, "`mix` must be at most"),
        ({"mix": None}, "`mix` must be an object"),
        ({"network": 7}, "`network` must be at most"),
        ({"options": {"strength": 2}}, "`strength` must be a number between 0 and 1"),
        ({"more": 1}, "`settings` has no 'more'"),
    ],
)
def test_wrong_settings_of_a_picture_painted_in_one_pass_are_refused(values, words):
    with pytest.raises(InputError, match=words):
        read(fast_png(**values), "fast.png")


def test_the_pictures_of_a_run_have_roles():
    assert list(WHOLE.pictures) == ["content", "style", "style2", "init", "mask"]
    assert WHOLE.pictures["style2"] == WHOLE.more_styles[0]


@pytest.mark.parametrize("given", ["x", {}, ["x"], [""] * 4])
def test_further_paintings_are_a_short_list_of_hashes(given):
    with pytest.raises(OptionError, match=r"^the settings in 'x\.png': `more_styles` must be "):
        read(changed(more_styles=given), "x.png")
