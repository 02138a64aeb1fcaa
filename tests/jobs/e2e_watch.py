"""Committed records as they come, and when each came."""

import json
import threading
import time
from collections import namedtuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from waiting import wait_for

Record = namedtuple("Record", "partition offset key value ts_ms seen")


class Watch:
    """Reads topics from their beginning until it is stopped; heartbeats of agents are left out."""

    def __init__(self, servers, topics):
        self._records, self._stopped, self._error = {topic: [] for topic in topics}, threading.Event(), None
        settings = {"group.id": "watch", "enable.auto.commit": False, "isolation.level": "read_committed", "log_level": 0}
        self._consumer = Consumer({"bootstrap.servers": servers, **settings})
        # Those of the agents are there when they have seen the table.
        known = wait_for(lambda: (found := self._consumer.list_topics(timeout=20).topics).keys() >= set(topics) and found, f"the topics {topics}")
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for topic in topics for number in known[topic].partitions])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.is_set():
            message = self._consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                # A broker that is away comes back.
                if message.error().fatal():
                    self._error = message.error()
                    return
                continue
            value = None if message.value() is None else json.loads(message.value())
            if value is None or value.get("op") != "m":
                record = Record(message.partition(), message.offset(), json.loads(message.key()), value, message.timestamp()[1], time.time())
                self._records[message.topic()].append(record)

    def of(self, topic):
        """What came so far."""
        assert self._error is None and self._thread.is_alive(), self._error or "the reader ended"
        return list(self._records[topic])

    def stop(self):
        self._stopped.set()
        self._thread.join()
        self._consumer.close()
