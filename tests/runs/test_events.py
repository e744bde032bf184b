import dataclasses
import json
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.runs.events import BYTES, Checkpointed, Event, Finished, Losses, Queued

modest = settings(max_examples=25, deadline=None, derandomize=True)

KINDS = sorted(Event.registry)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = {
    str: st.text(),
    int: st.integers(0, 10**9),
    float: NUMBERS,
    bool: st.booleans(),
    bytes: st.binary(),
    dict[str, Any]: st.dictionaries(st.text(), NUMBERS),
    Losses: st.builds(Losses, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
}


def events(kind: str) -> st.SearchStrategy[Event]:
    cls = Event.registry[kind]
    hints = get_type_hints(cls)
    return st.builds(cls, **{field.name: VALUES[hints[field.name]] for field in dataclasses.fields(cls)})


@pytest.mark.parametrize("kind", KINDS)
@modest
@given(data=st.data())
def test_an_event_survives_the_wire(kind, data):
    event = data.draw(events(kind))
    wire = event.to_wire()
    assert wire["kind"] == kind
    assert Event.from_wire(wire) == event
    assert Event.from_wire(wire) == event  # and leaves the wire as it was


@pytest.mark.parametrize("kind", KINDS)
@modest
@given(data=st.data())
def test_an_event_survives_json_but_for_its_bytes(kind, data):
    event = data.draw(events(kind))
    plain = json.loads(json.dumps(event.to_json()))
    assert not set(BYTES) & plain.keys()
    without = dataclasses.replace(event, **{name: b"" for name in BYTES if hasattr(event, name)})
    assert Event.from_wire(plain) == without


def test_kinds_are_class_names_and_belong_to_the_class():
    names = {kind: cls.__name__.lower() for kind, cls in Event.registry.items()}
    assert names == {kind: kind for kind in KINDS} | {"kept": "checkpointed"}
    assert {"queued", "started", "epoch", "finished", "stopped", "failed", "interrupted", "fetching"} <= set(KINDS)
    assert Queued().to_json() == {"kind": "queued"}


@pytest.mark.parametrize("cls", Event.registry.values())
def test_the_fields_of_an_event_are_given_by_name(cls):
    assert all(field.kw_only for field in dataclasses.fields(cls))


def test_an_event_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Finished(seconds=1.0).seconds = 2.0


def test_a_checkpoint_is_of_the_kind_that_stores_have_on_their_disks():
    assert Checkpointed(step=1, seconds=0.5).to_json() == {"kind": "kept", "step": 1, "seconds": 0.5}
    assert Event.from_wire({"kind": "kept", "step": 1, "seconds": 0.5}) == Checkpointed(step=1, seconds=0.5)
