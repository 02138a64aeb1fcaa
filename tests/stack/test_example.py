"""examples/first_of_equal.py keeps the first of equal event ids, and nothing else."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

from first_of_equal import First, changes  # noqa: E402


class Message:
    """What a consumer gives out."""

    def __init__(self, value, event_id=None):
        self._value, self._headers = value, None if event_id is None else [("event_id", event_id.encode())]

    def value(self):
        return None if self._value is None else json.dumps(self._value).encode()

    def headers(self):
        return self._headers


class Example(unittest.TestCase):
    def test_the_first_of_each_id_is_kept(self):
        copies = [Message({"op": "c", "n": number}, event_id) for number, event_id in enumerate("abacbd")]
        others = [Message({"op": "m"}), Message(None, "d")]
        self.assertEqual([value["n"] for value in changes(others + copies, First(10))], [0, 1, 3, 5])

    def test_the_window_is_bounded_by_the_ids_in_between(self):
        window = First(2)
        self.assertEqual([window.is_first(word) for word in "abaccba"], [True, True, False, True, False, True, True])


if __name__ == "__main__":
    unittest.main()
