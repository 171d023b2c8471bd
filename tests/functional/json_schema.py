"""Checks values against JSON Schemas (draft 7), as far as the node's OpenRPC document uses them.

A keyword that is not known here is an error: what is not checked must not look checked.
"""

import re

KNOWN = {"type", "minimum", "maximum", "maxLength", "enum", "pattern", "items", "properties", "required",
         "additionalProperties", "description", "default"}

TYPES = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def complaints(value, schema, place="result"):
    """What is wrong with the value, one sentence each."""
    unknown = set(schema) - KNOWN
    assert not unknown, f"{place}: the schema has {unknown}"
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(TYPES[name](value) for name in types):
        return [f"{place}: {value!r} is no {' or '.join(types)}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is none of {schema['enum']}"]
    found = []
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"] or "maximum" in schema and value > schema["maximum"]:
            found.append(f"{place}: {value} is outside {schema}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{place}: {value!r} does not fit {schema['pattern']}")
        if "maxLength" in schema and len(value.encode()) > schema["maxLength"]:
            found.append(f"{place}: {len(value)} bytes are too many")
    if isinstance(value, list):
        for i, one in enumerate(value):
            found += complaints(one, schema.get("items", {"type": list(TYPES)}), f"{place}[{i}]")
    if isinstance(value, dict):
        found += object_complaints(value, schema, place)
    return found


def object_complaints(value, schema, place):
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    found = [f"{place}: {name} is missing" for name in schema.get("required", []) if name not in value]
    for name, one in value.items():
        if name in properties:
            found += complaints(one, properties[name], f"{place}.{name}")
        elif others is False:
            found.append(f"{place}: {name} is not described")
        elif isinstance(others, dict):
            found += complaints(one, others, f"{place}.{name}")
    return found


def check(value, schema, place="result"):
    found = complaints(value, schema, place)
    assert not found, "\n".join(found)
