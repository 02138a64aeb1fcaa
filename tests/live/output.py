"""What an agent has committed, as consumers see it: a file log up to its `commit.json`, or Kafka with read_committed."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "kafka"))


@dataclass(frozen=True)
class Record:
    """One record, in the order of its partition."""

    topic: str
    partition: int
    offset: int
    key: dict
    value: dict
    headers: dict


def is_table(topic):
    """Whether it is a topic of changes, and not one of the agent's own."""
    return ".cdc." in topic and not topic.split(".cdc.", 1)[1].startswith("__")


class FileOutput:
    """A file log (docs/file-log.md). Nothing of it is locked: each `read` sees one commit."""

    def __init__(self, folder):
        self.folder, self._read = Path(folder), {}

    def commit(self):
        """What is committed; None before the first commit."""
        try:
            return json.loads((self.folder / "commit.json").read_text())
        except FileNotFoundError:
            return None

    def read(self):
        """Every committed record by (topic, partition). What was read before is not read again: committed bytes never change."""
        found = {}
        for topic, partitions in ((self.commit() or {}).get("topics") or {}).items():
            for number, files in partitions.items():
                place = found.setdefault((topic, int(number)), [])
                for known in files:
                    place += self._file(topic, int(number), known)
        return found

    def _file(self, topic, partition, known):
        path = self.folder / topic / str(partition) / f"{known['first_offset']:020}.jsonl"
        records = self._read.setdefault(path, [0, []])
        with path.open("rb") as file:
            file.seek(records[0])
            text = file.read(known["bytes"] - records[0])
        records[0] += len(text)
        assert records[0] == known["bytes"], f"{path} is shorter than commit.json says"
        for line in filter(None, text.decode().split("\n")):
            line = json.loads(line)
            records[1].append(Record(topic, partition, line["offset"], line["key"], line["value"], line["headers"]))
        offsets = [record.offset for record in records[1]]
        assert offsets == list(range(known["first_offset"], known["next_offset"])), path
        return records[1]

    finish = read

    def close(self):
        pass


class KafkaOutput:
    """The topics `<prefix>.cdc.*`, read on and on with one consumer."""

    def __init__(self, servers, prefix):
        from records import Reader  # needs confluent-kafka, which the tests of the checker do without

        # Brokers are killed on purpose: librdkafka need not tell each vain connection. Questions wait for fetches on the same connection.
        quiet = {"fetch.wait.max.ms": 50, "log_level": 0, "reconnect.backoff.ms": 200, "reconnect.backoff.max.ms": 1000, "topic.metadata.refresh.interval.ms": 1000}
        self._reader, self.prefix, self._found, self._assigned = Reader(servers, **quiet), prefix, {}, set()

    def _topics(self):
        return self._reader.topics(f"{self.prefix}.cdc.")

    def read(self, seconds=0.5):
        """Every committed record that has come so far by (topic, partition)."""
        from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

        places = {(name, number) for name, count in self._topics().items() for number in range(count)}
        if places - self._assigned:
            new = [TopicPartition(*place, OFFSET_BEGINNING) for place in sorted(places - self._assigned)]
            self._reader.consumer.incremental_assign(new)
            self._assigned |= places
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for message in self._reader.consumer.consume(500, timeout=0.05):
                if message.error() is None:
                    self._add(message)
                # Of a topic that was just made one broker of several may not know yet.
                elif message.error().code() not in (KafkaError._PARTITION_EOF, KafkaError.UNKNOWN_TOPIC_OR_PART) and not message.error().retriable():
                    raise AssertionError(message.error())
        return self._found

    def _add(self, message):
        key, value = message.key(), message.value()
        headers = {name: text.decode() for name, text in message.headers() or []}
        record = Record(
            message.topic(), message.partition(), message.offset(), json.loads(key) if key and key[:1] == b"{" else key,
            None if value is None else json.loads(value) if value[:1] == b"{" else value, headers,
        )  # fmt: skip
        self._found.setdefault((message.topic(), message.partition()), []).append(record)

    def finish(self):
        """Everything that is committed when no transaction is open any more: one that a killed agent left ends after 30 s."""
        from confluent_kafka import TopicPartition

        places = [TopicPartition(name, number) for name, count in self._topics().items() for number in range(count)]
        self._reader.wait_for_ends(places)
        self.read(0.1)
        ends = {(place.topic, place.partition): self._reader.uncommitted.get_watermark_offsets(place, timeout=20)[1] for place in places}
        until = time.monotonic() + 60
        while True:
            self.read(0.2)
            at = {(place.topic, place.partition): place.offset for place in self._reader.consumer.position(places)}
            if all(at[place] >= end or end == 0 for place, end in ends.items()):
                return self._found
            assert time.monotonic() < until, f"not read to their ends: {[place for place, end in ends.items() if at[place] < end]}"

    def close(self):
        self._reader.consumer.close()
        self._reader.uncommitted.close()
