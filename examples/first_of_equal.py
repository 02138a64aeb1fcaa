#!/usr/bin/env python3
"""Reads the changes of one table and keeps the first of each `event_id`: every replica logs a change, and each agent publishes it.

    pip install confluent-kafka
    examples/first_of_equal.py onprem.cdc.sales.events [--bootstrap-servers localhost:9092] [--group NAME] [--window 1000000]

Prints the value of each record once, as JSON Lines. Ctrl-C ends it. docs/delivery.md says what the window has to cover.
"""

import argparse
import json
import sys
from collections import OrderedDict


class First:
    """Tells the first of equal ids apart from the others, as long as no more than `size` other ids come in between."""

    def __init__(self, size):
        self.size, self._seen = size, OrderedDict()

    def is_first(self, event_id):
        """Whether this id is not in the window. It is then."""
        if event_id in self._seen:
            self._seen.move_to_end(event_id)  # a third copy may come as long after the second
            return False
        self._seen[event_id] = None
        if len(self._seen) > self.size:
            self._seen.popitem(last=False)
        return True


def changes(messages, window):
    """The values of the records that are changes, the first of each `event_id`."""
    for message in messages:
        value = json.loads(message.value()) if message.value() is not None else None
        if value is None or value["op"] == "m":  # a tombstone; a heartbeat: see docs/delivery.md for its watermark
            continue
        if window.is_first(dict(message.headers())["event_id"]):
            yield value


def polled(consumer):
    """Messages without end."""
    while True:
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error() is not None:
            print(f"kafka: {message.error()}", file=sys.stderr)
            continue
        yield message


def main():
    """Runs until it is interrupted."""
    from confluent_kafka import Consumer

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topic")
    parser.add_argument("--bootstrap-servers", default="localhost:9092")
    parser.add_argument("--group", default="first-of-equal")
    parser.add_argument("--window", type=int, default=1_000_000, help="event ids that are remembered")
    given = parser.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap_servers,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,  # the window is lost with this program: it begins again at the start of the topic
        }
    )
    consumer.subscribe([given.topic])
    try:
        for value in changes(polled(consumer), First(given.window)):
            print(json.dumps(value, separators=(",", ":"), ensure_ascii=False), flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
