"""The check of shapes must be able to fail: a record of the documentation, whole and broken."""

import json
import unittest
from pathlib import Path

import shapes
from checker import Verdict
from output import Record

EXAMPLES = Path(__file__).resolve().parent.parent / "oracle" / "vectors" / "envelope_examples.jsonl"
INSERT = json.loads(EXAMPLES.read_text(encoding="ascii").split("\n", 1)[0])["record"]
KEY = {"cust": "A-7", "day": 20455, "id": 2}


def judged(*values, key=KEY, topic="prod.cdc.shop.orders", most=shapes.MOST):
    verdict = Verdict()
    records = [Record(topic, 0, offset, key, value, {}) for offset, value in enumerate(values)]
    shapes.check_shapes({(topic, 0): records}, verdict, most)
    return set(verdict.faults), verdict.counted["records by the schema"]


class Shapes(unittest.TestCase):
    def test_a_record_of_the_documentation_passes(self):
        self.assertEqual(judged(INSERT, None), (set(), 1))

    def test_a_member_that_no_schema_knows(self):
        self.assertEqual(judged({**INSERT, "colour": 1})[0], {"against the schema"})

    def test_a_position_that_is_a_text(self):
        self.assertEqual(judged({**INSERT, "source": {**INSERT["source"], "pos": "65610"}})[0], {"against the schema"})

    def test_the_key_of_a_heartbeat_on_a_row(self):
        self.assertEqual(judged(INSERT, key=["A-7"])[0], {"against the schema"})

    def test_a_new_shape_is_looked_at_after_many_of_another(self):
        self.assertEqual(judged(INSERT, INSERT, INSERT, {**INSERT, "row_hash": 7}, most=1), ({"against the schema"}, 2))

    def test_topics_of_other_things_are_not(self):
        self.assertEqual(judged({"kind": "done"}, topic="prod.cdc.__control"), (set(), 0))


if __name__ == "__main__":
    unittest.main()
