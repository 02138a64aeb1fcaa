#!/usr/bin/env python3
"""Checks docs/*.schema.json with the PyPI package jsonschema: the schemas themselves, and every line of envelope_examples.jsonl."""

import json
import pathlib
import sys

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
DOCS = HERE.parents[2] / "docs"
FILES = {
    "flat": "envelope.schema.json", "debezium-cassandra": "envelope.debezium-cassandra.schema.json",
    "debezium": "envelope.debezium.schema.json"}

KEYS = {"key", "heartbeat_key"}


def validators():
    """Of values (`flat`) and, where a schema defines them, of keys (`flat/key`)."""
    found = {}
    for name, file in FILES.items():
        schema = json.loads((DOCS / file).read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        found[name] = jsonschema.Draft202012Validator(schema)
        for part in KEYS.intersection(schema["$defs"]):
            key = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{part}"}
            found[f"{name}/{part}"] = jsonschema.Draft202012Validator(key)
    return found


def main():
    """Exits with 1 when an example is judged wrongly."""
    known = validators()
    examples = [json.loads(line) for line in (HERE / "envelope_examples.jsonl").read_text(encoding="ascii").splitlines()]
    wrong = 0
    for example in examples:
        errors = list(known[example["schema"]].iter_errors(example["record"]))
        if bool(errors) == example["valid"]:
            wrong += 1
            said = errors[0].message if errors else "no error"
            print(f"{example['schema']}: {example['why']}: expected valid={example['valid']}, got {said[:300]}")
    print(f"{len(examples)} examples, {wrong} judged wrongly", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
