#!/usr/bin/env python3
"""agent_timestamps.jsonl: texts in which an agent writes timestamps (timestamp_format = iso8601) and texts that are none, with their
milliseconds since 1970 (null: none). Days are counted year by year, as the calendar has them: no formula is shared with the programs.

    agent_timestamps.py [--check]
"""

import json
import pathlib
import random
import sys

FILE = pathlib.Path(__file__).with_suffix(".jsonl")
MOST, LEAST = 2**63 - 1, -(2**63)
DAY = 86_400_000
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
OF_400_YEARS = 146_097


def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def date(days):
    """Year, month, day; counted from 2000-01-01, 400 years at once."""
    cycles, days = divmod(days - 10_957, OF_400_YEARS)
    year, month = 2000 + 400 * cycles, 1
    while days >= 365 + is_leap(year):
        days -= 365 + is_leap(year)
        year += 1
    while days >= (length := MONTHS[month - 1] + (month == 2 and is_leap(year))):
        days -= length
        month += 1
    return year, month, days + 1


def text(ms):
    """As java.time.Instant prints it, with three digits behind the point."""
    days, of_day = divmod(ms, DAY)
    year, month, day = date(days)
    sign = "" if 0 <= year <= 9999 else "-" if year < 0 else "+"
    second, fraction = divmod(of_day, 1000)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{sign}{abs(year):04}-{month:02}-{day:02}T{clock}.{fraction:03}Z"


# By hand, from `date -u` and the documentation of java.time.Instant.
KNOWN = {
    "1970-01-01T00:00:00.000Z": 0, "2026-01-02T03:04:05.678Z": 1_767_323_045_678, "1969-12-31T23:59:59.999Z": -1, "2000-02-29T00:00:00.000Z": 951_782_400_000,
    "0000-01-01T00:00:00.000Z": -62_167_219_200_000, "+10000-01-01T00:00:00.000Z": 253_402_300_800_000, "-0001-12-31T23:59:59.999Z": -62_167_219_200_001,
    "+292278994-08-17T07:12:55.807Z": MOST, "-292275055-05-16T16:47:04.192Z": LEAST,
    # Digits that agents do not write are cut off.
    "2025-01-01T00:00:00Z": 1_735_689_600_000, "2025-01-01T00:00:00.5Z": 1_735_689_600_500, "2025-01-01T00:00:00.123999999Z": 1_735_689_600_123, "1969-12-31T23:59:59.9999Z": -1,
}  # fmt: skip
NONE = [
    "", "Z", "T", "TZ", "1735689600000", "2025-01-01", "2025-02-30T00:00:00.000Z", "2025-02-29T00:00:00.000Z", "2025-13-01T00:00:00.000Z", "2025-00-01T00:00:00.000Z", "2025-01-00T00:00:00.000Z",
    "1900-02-29T00:00:00.000Z", "+10100-02-29T00:00:00.000Z", "2025-1-1T00:00:00.000Z", "25-01-01T00:00:00.000Z", "10000-01-01T00:00:00.000Z", "+2025-01-01T00:00:00.000Z",
    "+1000000000-01-01T00:00:00.000Z", "-001-01-01T00:00:00.000Z", "--0001-01-01T00:00:00.000Z", "2025-01-01T24:00:00.000Z", "2025-01-01T23:60:00.000Z", "2025-01-01T23:59:60.000Z", "2025-01-01T1:00:00.000Z",
    "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00.1234567890Z", "2025-01-01T00:00:00.000", "2025-01-01T00:00:00.000+00:00", "2025-01-01T00:00:00.000z", "2025-01-01t00:00:00.000Z", "2025-01-01 00:00:00.000Z",
    " 2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z\n", "2025-01-01T00:00:00.000ZZ", "2025-01-01T00:00Z", "２025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.00٣Z", "2025-01-01T00:00:00,000Z",
    "+292278994-08-17T07:12:55.808Z", "-292275055-05-16T16:47:04.191Z", "+999999999-12-31T23:59:59.999Z", "-999999999-01-01T00:00:00.000Z", "***",
]  # fmt: skip


def lines():
    known = dict(KNOWN)
    choose = random.Random(1)
    for bits in range(20, 64):
        for _ in range(4):
            ms = choose.getrandbits(bits) * choose.choice([1, -1])
            known[text(ms)] = ms
    for found, ms in known.items():
        assert len(found.split(".")[-1]) != 4 or text(ms) == found, (found, text(ms), ms)
        yield {"text": found, "ms": ms}
    for found in NONE:
        assert found not in known
        yield {"text": found, "ms": None}


def main():
    found = "".join(json.dumps(line) + "\n" for line in lines())
    if sys.argv[1:] == ["--check"]:
        sys.exit(FILE.read_text() != found and f"{FILE.name} is not what {pathlib.Path(__file__).name} makes")
    FILE.write_text(found)


main()
