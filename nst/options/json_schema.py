"""Options as JSON schemas, for the OpenAPI document."""

from typing import Any

from nst.options.fast_options import FastOptions
from nst.options.option_field import MOST_WEIGHT, LayerWeights, Numbers, Option, options_of
from nst.options.style_options import StyleOptions


def schema_of(option: Option) -> dict[str, Any]:
    """Return the JSON schema of an option."""
    names = {int: "integer", float: "number", bool: "boolean", str: "string", LayerWeights: "object", Numbers: "array"}
    bounds = {"minimum": option.low, "maximum": option.high, "enum": list(option.choices) or None}
    value: dict[str, Any] = {"type": names[option.type]}
    value |= {name: bound for name, bound in bounds.items() if bound is not None}
    if option.type is LayerWeights:
        value["additionalProperties"] = {"type": "number", "minimum": 0, "maximum": MOST_WEIGHT}
    if option.type is Numbers:
        item = {"type": "number", **{name: value.pop(name) for name in ("minimum", "maximum")}}
        value |= {"items": item, "maxItems": option.most}
    if option.words:
        value = {"anyOf": [value, {"type": "string", "enum": list(option.words)}]}
    elif option.default is None:
        value["type"] = [value["type"], "null"]
    return {
        **value,
        "default": option.default,
        "description": option.help,
        "x-group": option.group,
        **({"x-unit": option.unit} if option.unit else {}),
        **({"x-live": True} if option.live else {}),
    }


def schema_of_options(options: tuple[Option, ...], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the JSON schema of an object with these options and no others."""
    properties = {option.name: schema_of(option) for option in options}
    for name in required:
        properties[name].pop("default")
        properties[name]["type"] = properties[name]["type"][0]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


OPTIONS_SCHEMA = schema_of_options(options_of(StyleOptions))
LIVE_SCHEMA = schema_of_options(tuple(option for option in options_of(StyleOptions) if option.live))
FAST_OPTIONS_SCHEMA = schema_of_options(options_of(FastOptions))
