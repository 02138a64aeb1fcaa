"""Writes cdc_fixtures/blocks/vectors.txt: section bodies compressed and encrypted by other implementations.

Usage: python make.py > ../../../cdc_fixtures/blocks/vectors.txt
Needs the packages of requirements.txt. Deterministic for their pinned versions.
"""

import hashlib
import random
import struct
import zlib

import cramjam
import lz4.block
import zstandard
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad

SEED = 20240607
KEYS = {bits: bytes(range(bits // 8)) for bits in (128, 192, 256)}
IV = bytes(range(100, 116))
CHUNK = 64 * 1024


def plains():
    """Name and bytes of what is compressed: empty-ish, text, runs, noise, and lengths at block borders."""
    rng = random.Random(SEED)
    words = [b"INSERT", b"user", b"\x00\x00\x00\x01", b"key", b"value", b"2024-06-07"]
    yield "one", b"x"
    yield "noise", rng.randbytes(300)
    yield "text", b"".join(rng.choice(words) for _ in range(400))
    yield "run-32768", b"\x00" * 32768
    yield "run-65537", b"ab" * 32768 + b"c"
    yield "run-262144", b"\x07" * 262144
    yield "mixed-100000", (b"".join(rng.choice(words) for _ in range(60)) + rng.randbytes(40)).ljust(99_000, b"z") + rng.randbytes(1000)


def cassandra_lz4(plain, **how):
    return struct.pack("<I", len(plain)) + lz4.block.compress(plain, store_size=False, **how)


def zstd(plain, **how):
    return zstandard.ZstdCompressor(write_checksum=True, **how).compress(plain)


COMPRESSORS = [
    ("Lz4", "fast", cassandra_lz4),
    ("Lz4", "high", lambda plain: cassandra_lz4(plain, mode="high_compression", compression=9)),
    ("Snappy", "raw", lambda plain: bytes(cramjam.snappy.compress_raw(plain))),
    ("Deflate", "level-6", lambda plain: zlib.compress(plain, 6)),
    ("Deflate", "level-0", lambda plain: zlib.compress(plain, 0)),
    ("Zstd", "level-3", lambda plain: zstd(plain, level=3)),
    ("Zstd", "level-19", lambda plain: zstd(plain, level=19)),
    ("Zstd", "no-size", lambda plain: zstd(plain, level=3, write_content_size=False)),
    ("Noop", "copy", lambda plain: plain),
]


def encrypted(plain, key):
    """An encrypted body: chunks of 64 KiB, each LZ4 with Cassandra's two lengths, then AES-CBC with PKCS padding."""
    body = b""
    for at in range(0, len(plain), CHUNK):
        chunk = plain[at : at + CHUNK]
        block = struct.pack(">i", len(chunk)) + cassandra_lz4(chunk)
        secret = AES.new(key, AES.MODE_CBC, IV).encrypt(pad(block, 16))
        body += struct.pack(">ii", len(secret), len(block)) + secret
    return body


def line(kind, how, name, plain, stored):
    print(kind, how, name, len(plain), hashlib.sha256(plain).hexdigest(), stored.hex())


def main():
    print("# form  writer  content  plain length  SHA-256 of the plain bytes  stored bytes; made by tests/oracle/blocks/make.py")
    for name, plain in plains():
        for kind, how, compress in COMPRESSORS:
            stored = compress(plain)
            if len(stored) <= 2000:
                line(kind, how, name, plain, stored)
        for bits, key in KEYS.items():
            stored = encrypted(plain, key)
            if len(stored) <= 2000:
                line("AES", bits, name, plain, stored)


main()
