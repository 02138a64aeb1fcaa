"""Segments under other ids: a fixture's segment many times over makes a log that takes a while to replay."""

import struct
import zlib


def with_id(segment, name):
    """The bytes of an uncompressed segment (format 7: descriptor, then sections) as if Cassandra had given it the id `name`."""
    version, _, length = struct.unpack_from(">iqH", segment)
    parameters = segment[14 : 14 + length]
    head = struct.pack(">iqH", version, name, length) + parameters
    out = bytearray(segment)
    out[: len(head)] = head
    struct.pack_into(">I", out, len(head), _descriptor_checksum(version, name, parameters))
    at = len(head) + 4
    while at + 8 <= len(out):
        following, checksum = struct.unpack_from(">iI", out, at)
        if following == 0 and checksum == 0:
            break
        struct.pack_into(">I", out, at + 4, zlib.crc32(struct.pack(">Iii", name & 0xFFFFFFFF, name >> 32, at)))
        at = following
    return bytes(out)


def _descriptor_checksum(version, name, parameters):
    numbers = struct.pack(">iIii", version, name & 0xFFFFFFFF, name >> 32, len(parameters))
    return zlib.crc32(parameters, zlib.crc32(numbers))


def copies(segment, first, count):
    """File name → bytes of `count` copies with ids from `first` on."""
    return {f"CommitLog-7-{name}.log": with_id(segment, name) for name in range(first, first + count)}
