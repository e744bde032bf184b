import dataclasses
import json
import pickle
import pickletools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import OptionError
from nst.options.fast_options import FastOptions
from nst.options.style_options import StyleOptions
from nst.runs.job import FastJob, FastPicture, FastRequest, StyleJob

modest = settings(max_examples=25, deadline=None, derandomize=True)

SHARES = st.floats(0, 1)
STYLE_JOBS = st.builds(
    StyleJob,
    content=st.binary(),
    style=st.binary(),
    options=st.builds(
        StyleOptions,
        size=st.sampled_from(range(64, 4097, 32)),
        epochs=st.one_of(st.just("auto"), st.integers(1, 100)),
        style_layers=st.sampled_from([None, (("block1_conv1", 1.0), ("block2_conv1", 0.5))]),
    ),
    init=st.one_of(st.none(), st.binary()),
    mask=st.one_of(st.none(), st.binary()),
    more_styles=st.lists(st.binary(), max_size=3).map(tuple),
    extractor=st.sampled_from(["", "compact", "vgg19"]),
    precision=st.sampled_from(["", "float32", "bfloat16"]),
    epochs=st.one_of(st.none(), st.integers(1, 200)),
    steered=st.lists(st.tuples(st.integers(1, 1000), st.fixed_dictionaries({"strength": SHARES}))).map(tuple),
    checkpoint=st.one_of(st.none(), st.binary()),
    start=st.one_of(st.none(), st.binary()),
    first=st.integers(0, 100),
    seconds=st.floats(0, 1e6),
)
WISHES = st.builds(
    FastRequest,
    mix=st.dictionaries(st.text(), SHARES),
    options=st.builds(FastOptions, strength=SHARES, size=st.sampled_from([None, 64, 512])),
    format=st.sampled_from(["png", "jpeg", "vector"]),
    side=st.one_of(st.none(), st.integers(16, 512)),
)
FAST_JOBS = st.builds(
    FastJob,
    content=st.binary(),
    requests=st.lists(WISHES).map(tuple),
    file=st.binary(),
    paintings=st.dictionaries(st.text(), st.binary()),
)


@modest
@given(st.one_of(STYLE_JOBS, FAST_JOBS))
def test_a_job_survives_the_wire(job: StyleJob | FastJob) -> None:
    wire = job.to_wire()
    assert type(job).from_wire(wire) == job
    assert type(job).from_wire(wire) == job  # the wire form is not changed
    assert type(job).from_wire(pickle.loads(pickle.dumps(wire))) == job


@modest
@given(st.one_of(STYLE_JOBS, FAST_JOBS))
def test_the_wire_form_of_a_job_holds_plain_values_and_bytes_alone(job: StyleJob | FastJob) -> None:
    json.dumps(job.to_wire(), default=lambda value: value.hex())  # which bytes have
    codes = {code.name for code, _, _ in pickletools.genops(pickle.dumps(job.to_wire()))}
    assert not codes & {"GLOBAL", "STACK_GLOBAL"}  # names of classes: a text may well have the name of the package


def test_a_picture_survives_the_wire() -> None:
    picture = FastPicture(b"data", 64, 48, 0.5)
    assert FastPicture(**picture.to_wire()) == picture


def test_options_of_a_job_are_checked_where_it_arrives() -> None:
    wire = StyleJob(b"", b"", StyleOptions()).to_wire()
    with pytest.raises(OptionError, match="`size` must be"):
        StyleJob.from_wire({**wire, "options": {"size": 1}})
    request = FastRequest({"one": 1.0}, FastOptions()).to_wire()
    with pytest.raises(OptionError, match="`strength` must be"):
        FastJob.from_wire({"content": b"", "requests": [{**request, "options": {"strength": 7}}], "file": b""})


def test_a_job_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        StyleJob(b"", b"", StyleOptions()).epochs = 3  # type: ignore[misc]


def test_a_job_of_a_version_with_one_painting_and_no_mask_is_read() -> None:
    job = StyleJob(b"content", b"style", StyleOptions())
    wire = job.to_wire()
    del wire["more_styles"], wire["mask"]
    assert StyleJob.from_wire(wire) == job


def test_the_pictures_of_a_job_have_roles() -> None:
    job = StyleJob(b"c", b"s", StyleOptions(), more_styles=(b"t", b"u"), mask=b"m")
    assert job.pictures == {"content": b"c", "style": b"s", "style2": b"t", "style3": b"u", "mask": b"m"}
