"""What a live agent published, against the JSON Schema that consumers are given (docs/envelope.schema.json), by the PyPI package jsonschema."""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "oracle" / "vectors"))

# Records of one table and operation that are looked at: a schema takes about a millisecond for each.
MOST = 300


def check_shapes(records, verdict, most=MOST):
    """Keys and values of the topics of tables, `most` of each table and operation: the first of each shape always, whatever stood before."""
    import check_schemas
    from output import is_table

    known, seen = check_schemas.validators(), Counter()
    for place, found in sorted(records.items()):
        if not is_table(place[0]):
            continue
        for record in found:
            # Nothing follows but compaction: a tombstone has no value.
            if record.value is None:
                continue
            kind = (place[0], record.value.get("op"))
            shape = (*kind, _shape(record.value))
            if seen[kind] >= most and seen[shape]:
                continue
            seen[kind] += 1
            seen[shape] += 1
            verdict.counted["records by the schema"] += 1
            of_key = "flat/heartbeat_key" if record.value.get("op") == "m" else "flat/key"
            for part, validator, of_part in (("value", known["flat"], record.value), ("key", known[of_key], record.key)):
                for error in validator.iter_errors(of_part):
                    verdict.fault("against the schema", f"{record.topic}/{record.partition}@{record.offset}: {part}: {error.message}")


def _shape(value):
    """What stands in a record, not what it says."""
    return tuple((name, type(of_name).__name__) for name, of_name in sorted(value.items()))
