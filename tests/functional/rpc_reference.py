#!/usr/bin/env python3
"""Makes the list of methods and events in node/RPC.md from the OpenRPC document that a node serves.

Usage: rpc_reference.py [--write]    starts a node; without --write it prints the page
"""

import sys

from gradient_node import SOURCE, init_chain, workspace

BEGIN = "<!-- made by tests/functional/rpc_reference.py from the node's OpenRPC document -->\n"


def type_of(schema):
    """A schema in a few words."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = []
    for kind in kinds:
        if kind == "integer":
            words.append("integer" + (f" {schema['minimum']} to {schema['maximum']}" if "maximum" in schema else ""))
        elif kind == "string" and "enum" in schema:
            words.append(" or ".join(f"`{name}`" for name in schema["enum"] if name is not None))
        elif kind == "string" and "{64}" in schema.get("pattern", ""):
            words.append("hash")
        elif kind == "string" and schema.get("pattern", "").startswith("^(["):
            words.append("hexadecimal")
        elif kind == "string" and "{1,8}" in schema.get("pattern", ""):
            words.append("coins")
        elif kind == "string" and schema.get("pattern", "").startswith("^[a-z]"):
            words.append("address")
        elif kind == "array":
            words.append("list of " + type_of(schema["items"]))
        elif kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            words.append("object of " + type_of(schema["additionalProperties"]) + " by name")
        else:
            words.append(kind)
    return " or ".join(words)


def fields_of(schema, indent=""):
    """The fields of an object, or of the objects in a list, one line each."""
    while "items" in schema:
        schema = schema["items"]
    lines = []
    for name, one in schema.get("properties", {}).items():
        sometimes = "" if name in schema["required"] else ", not always"
        meaning = f": {one['description']}" if "description" in one else ""
        lines.append(f"{indent}- `{name}` ({type_of(one)}{sometimes}){meaning}\n")
        lines += fields_of(one, indent + "  ")
    return lines


def method_text(method):
    lines = [f"\n### {method['name']}\n\n{method['summary']} Permission: {method['x-permission']}.\n"]
    if method["params"]:
        lines.append("\nParameters:\n\n")
    for parameter in method["params"]:
        schema = parameter["schema"]
        need = "" if parameter["required"] else ", optional"
        if "default" in schema:
            need += f", default {str(schema['default']).lower()}"
        lines.append(f"- `{parameter['name']}` ({type_of(schema)}{need}): {parameter['description']}\n")
    result = method["result"]["schema"]
    lines.append(f"\nResult: {type_of(result)}.\n")
    fields = fields_of(result)
    if fields:
        lines += ["\n", *fields]
    if method["errors"]:
        codes = "; ".join(f"{error['code']} ({error['message'].rstrip('.')})" for error in method["errors"])
        lines.append(f"\nErrors: {codes}.\n")
    return "".join(lines)


def reference(document, page):
    """The page with its list made anew."""
    text = page[:page.index(BEGIN)] + BEGIN + "\n## Limits\n\n"
    text += "".join(f"- `{name}`: {value}\n" for name, value in document["x-limits"].items())
    text += "\n## Methods\n" + "".join(method_text(method) for method in document["methods"])
    text += "\n## Events\n"
    for topic in document["x-topics"]:
        text += f"\n### {topic['name']}\n\n{topic['summary']}\n\n" + "".join(fields_of(topic["schema"]))
    return text


def main():
    file = SOURCE / "node/RPC.md"
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder), arguments=["--mine", "false"])
        node.start()
        text = reference(node.rpc("rpc.discover"), file.read_text())
        node.stop()
    if "--write" in sys.argv[1:]:
        file.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
