"""Records as a file log and as Kafka hold them, in one form, so that they can be compared."""

import json
import re
import sys
import time
from collections import defaultdict
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "oracle" / "vectors"))
import identity  # noqa: E402

DECODER = json.JSONDecoder()
# The first one of a value is the time at which the agent processed the event: another one in every run.
TIME = re.compile(rb'"ts_ms":(\d+)')


def members(text):
    """The members of a JSON object with the exact text of each value."""
    found, at = {}, 1
    while text[at] != "}":
        name, at = DECODER.raw_decode(text, at + (text[at] == ","))
        start = at + 1
        _, at = DECODER.raw_decode(text, start)
        found[name] = text[start:at]
    return found


def without_time(value):
    """A value without the time of its processing, and that time."""
    if value is None:
        return None, None
    time = TIME.search(value)
    return value[: time.start(1)] + value[time.end(1) :], int(time.group(1))


def of_file_log(folder):
    """(topic, partition) → [(key, value, headers)] of a file log."""
    found = defaultdict(list)
    for path in sorted(Path(folder).glob("*/*/*.jsonl")):
        place = (path.parent.parent.name, int(path.parent.name))
        for line in filter(None, path.read_text().split("\n")):
            record = members(line)
            value = None if record["value"] == "null" else record["value"].encode()
            value, time = without_time(value)
            assert time in (None, int(record["ts_ms"])), line
            found[place].append((record["key"].encode(), value, json.loads(record["headers"])))
    return found


class Reader:
    """Reads topics with librdkafka's own Python client, which is no part of the agent."""

    def __init__(self, servers, isolation="read_committed", **more):
        options = {
            "bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False, "isolation.level": isolation,
            "enable.partition.eof": True, "auto.offset.reset": "earliest", **more,
        }  # fmt: skip
        self.consumer = Consumer(options)
        self.uncommitted = Consumer({**options, "isolation.level": "read_uncommitted"})

    def wait_for_ends(self, places):
        """Waits until every transaction is ended everywhere: its producer is told so before the partitions are."""
        until = time.monotonic() + 60
        for place in places:
            _, end = self.uncommitted.get_watermark_offsets(place, timeout=20)
            while self.consumer.get_watermark_offsets(place, timeout=20)[1] < end:
                assert time.monotonic() < until, f"an open transaction in {place.topic}"
                time.sleep(0.02)

    def topics(self, prefix):
        """Topic → number of partitions. A broker that just came back, on a busy machine, may not answer the first question."""
        until = time.monotonic() + 60
        while True:
            try:
                found = self.consumer.list_topics(timeout=20).topics
                return {name: len(topic.partitions) for name, topic in found.items() if name.startswith(prefix)}
            except KafkaException as error:
                if error.args[0].code() != KafkaError._TRANSPORT or time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def messages(self, topics):
        """All messages of the topics, by (topic, partition)."""
        places = [TopicPartition(name, number, OFFSET_BEGINNING) for name, count in topics.items() for number in range(count)]
        self.wait_for_ends(places)
        found, open_places = defaultdict(list), {(place.topic, place.partition) for place in places}
        self.consumer.assign(places)
        while open_places:
            message = self.consumer.poll(20)
            assert message is not None, f"no end of {sorted(open_places)[:3]} in 20 s: an open transaction?"
            place = (message.topic(), message.partition())
            if message.error() is None:
                found[place].append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                open_places.discard(place)
            else:
                raise AssertionError(message.error())
        self.consumer.unassign()
        return found

    def records(self, prefix):
        """What `of_file_log` gives, of the topics of changes; the record's own time is that of its value."""
        topics = {name: count for name, count in self.topics(prefix).items() if ".cdc.__" not in name}
        found = defaultdict(list)
        for place, messages in self.messages(topics).items():
            for message in messages:
                value, time = without_time(message.value())
                kind, timestamp = message.timestamp()
                assert kind == 1 and time in (None, timestamp), (place, timestamp, time)
                headers = {name: text.decode() for name, text in message.headers() or []}
                found[place].append((message.key(), value, headers))
        return found, topics


def check_partitions(found, topics, schema):
    """Every record stands where Kafka's own partitioner puts the JSON of its partition key. Returns how many were checked."""
    keys = defaultdict(list)
    for column in sorted(schema["columns"], key=lambda column: column["position"]):
        if column["kind"] == "partition_key":
            keys[f"{column['keyspace_name']}.{column['table_name']}"].append(column["column_name"])
    checked = 0
    for (topic, partition), records in found.items():
        names = keys.get(topic.split(".cdc.", 1)[1])
        if names is None:
            continue
        for key, _, _ in records:
            columns = members(key.decode())
            text = "{" + ",".join(f"{json.dumps(name)}:{columns[name]}" for name in names) + "}"
            expected = identity.partition(identity.murmur2(text.encode()), topics[topic])
            assert partition == expected, (topic, partition, expected)
            checked += 1
    return checked


def difference(expected, found):
    """Where two of them differ, in words; None when they do not."""
    for place in sorted(set(expected) | set(found)):
        left, right = expected.get(place, []), found.get(place, [])
        if left != right:
            at = next((n for n, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), min(len(left), len(right)))
            return f"{place}: {len(left)} records expected, {len(right)} found, the first difference is record {at}"
    return None
