"""JSON of hostile structure, to every route that takes JSON: nested deeply, a million keys, huge numbers and texts."""

import itertools
import json
from collections.abc import Iterator

from benchmarks.outcome import NotMeasured
from benchmarks.siege.target import QUICK, Scale, Target
from nst.web.middleware.json_limit import CALLBACKS

STYLE = "starry-night"  # a fast style that ships
MOST_ECHO = 4000  # bytes of an error
# How Dash itself answers, with 500 but without a word in the log, what none of its pages sends.
NO_CALLBACK = b'{"error":"InternalServerError","message":"An internal server error occurred."}'
DIGITS = b"9" * 4000  # as many as Python takes for a whole number, and far more than a float or SQLite does

# Within the limits of structure and of bodies without files; written as JSON.
VALUES = {
    "sixty levels": b"[" * 60 + b"]" * 60,
    "30,000 keys": b"{" + b",".join(b'"%d":0' % n for n in range(30_000)) + b"}",
    "30,000 values": b"[" + b",".join([b"0"] * 30_000) + b"]",
    "a whole number of 4,000 digits": DIGITS,
    "a whole number below zero of 4,000 digits": b"-" + DIGITS,
    "a whole number of 900,000 digits": b"9" * 900_000,
    "a fraction of 900,000 digits": b"0." + b"3" * 900_000,
    "1e999": b"1e999",
    "not a number": b"NaN",
    "900,000 letters": b'"' + b"x" * 900_000 + b'"',
    "150,000 zero bytes": b'"' + rb"\u0000" * 150_000 + b'"',
    "half a surrogate pair": rb'"\ud800"',
}


def hostile_json(target: Target, scale: Scale) -> Iterator[str]:
    """Each hostile body to each route, and each hostile value in each field of the route's schema."""
    run = target.studio.start_run(QUICK)
    target.studio.follow(run, "finished")
    for method, path, fields in _routes(target, run):
        in_fields = ((f"{field}: {name}", _object(field, value)) for field in fields for name, value in VALUES.items())
        for name, body in scale.some(itertools.chain(hostile_bodies(), in_fields)):
            answer = target.ask(method, path, body, Content_Type="application/json")
            fault = "" if path == CALLBACKS and answer.body == NO_CALLBACK else answer.fault
            if not fault and answer.status >= 400 and len(answer.body) > MOST_ECHO:
                fault = f"the error has {len(answer.body)} bytes"
            yield f"{method} {path}, {name}: {fault}" if fault else ""


def hostile_bodies() -> Iterator[tuple[str, bytes]]:
    """Bodies whose structure is hostile, or which are no JSON, each with a name."""
    yield "arrays a million levels deep", b"[" * 10**6
    yield "objects 100,000 levels deep", b'{"options":' * 10**5 + b"1" + b"}" * 10**5
    yield "a million keys", b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(10**6)) + b"}"
    yield "one key 100,000 times", b"{" + b",".join([b'"options":0'] * 10**5) + b"}"
    yield "30,000 unknown keys", VALUES["30,000 keys"]
    yield "30 MB of letters", _object("options", b'"' + b"x" * 30 * 10**6 + b'"')
    yield "a key of 900,000 letters", b'{"' + b"x" * 900_000 + b'":0}'
    yield "a number in place of an object", DIGITS
    yield "structure that UTF-16 hides", ('{"\u0122": [' + "{}," * 300_000 + "{}]}").encode("utf-16")
    yield "no UTF-8", b'{"options":"\xff\xfe\x80"}'
    yield "a text without its end", b'{"options":"' + b"\\" * 900_000
    yield "a zero byte", b"\0"


def _routes(target: Target, run: str) -> Iterator[tuple[str, str, list[str]]]:
    """(method, path, fields) of all that take JSON, by the description that the studio gives of itself."""
    described = json.loads(target.ask("GET", "/openapi.json").body)["paths"]
    found = [
        (method.upper(), path, content["application/json"]["schema"])
        for path, methods in described.items()
        for method, route in methods.items()
        if "application/json" in (content := route.get("requestBody", {}).get("content", {}))
    ]
    if not found:
        raise NotMeasured("the studio describes no route that takes JSON")
    for method, path, schema in found:
        yield method, path.format(run_id=run, name=STYLE), list(schema["properties"])
    yield "POST", CALLBACKS, ["output", "outputs", "inputs", "state", "changedPropIds"]


def _object(field: str, value: bytes) -> bytes:
    return b'{"%s":%s}' % (field.encode(), value)
