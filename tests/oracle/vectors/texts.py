"""The texts of values: JSON of a record, hash text of version 1 and of version 0, Java's double and decimal texts."""

import base64
import datetime
import struct

import cql_types

NOT_FINITE = ("NaN", "Infinity", "-Infinity")
MAP_OBJECT_KEYS = cql_types.TEXTS + cql_types.UUIDS + ("inet",)
V0_PLAIN_DIGITS = 1000  # a decimal with more digits, or with a larger scale, has no v0
# Where Double.toString and Float.toString of JDK 17 and of JDK 25 agree (floats: all of them compared).
V0_DOUBLE = (6e-8, 1.8e16)
V0_FLOAT = (6e-8, 2.0 ** 25)


def binary_text(bits, width):
    """Double.toString (width 64) and Float.toString (width 32) of JDK 19 and later, from the rule in its API text.

    Among the decimals that round to the value take those with the fewest digits, but allow two digits always; of these
    the one nearest to the value, the even last digit on a tie. All in integers, so nothing is rounded on the way.
    """
    fraction_bits, bias = (52, 1075) if width == 64 else (23, 150)
    sign = "-" if bits >> (width - 1) else ""
    exponent = bits >> fraction_bits & (1 << (width - 1 - fraction_bits)) - 1
    fraction = bits & (1 << fraction_bits) - 1
    if exponent == (1 << (width - 1 - fraction_bits)) - 1:
        return "NaN" if fraction else sign + "Infinity"
    if exponent == 0 and fraction == 0:
        return sign + "0.0"
    mantissa = fraction | (1 << fraction_bits if exponent else 0)
    power = max(exponent, 1) - bias
    # In units of 2^(power-2): the value, and the ends of the interval that rounds to it.
    value = 4 * mantissa
    low = value - (1 if fraction == 0 and exponent > 1 else 2)
    high = value + 2
    digits, ten = _shortest(value, low, high, power - 2, mantissa % 2 == 0)
    return sign + _layout(str(digits).rstrip("0"), ten + len(str(digits)))


def _shortest(value, low, high, power, closed):
    """digits and exponent of ten of the chosen decimal."""
    # Scaled so that everything is an integer: x = value * up / down.
    up, down = (1 << power, 1) if power >= 0 else (1, 1 << -power)
    magnitude = len(str(value * up // down)) if value * up >= down else 1 - len(str(down // (value * up)))
    for count in range(2, 20):
        for ten in (magnitude - count - 1, magnitude - count, magnitude - count + 1):
            unit_up, unit_down = (1, 10 ** ten) if ten >= 0 else (10 ** -ten, 1)
            number, scale = value * up * unit_up, down * unit_down
            if not 10 ** (count - 1) <= number // scale < 10 ** count:
                continue
            floor = number // scale
            inside = []
            for digits in (floor, floor + 1):
                left, right = low * up * unit_up, high * up * unit_up
                if left < digits * scale < right or closed and digits * scale in (left, right):
                    inside.append(digits)
            if inside:
                best = min(inside, key=lambda d: (abs(d * scale - number), d % 2))
                return best, ten
    raise ValueError("no decimal found")


def _layout(digits, point):
    """Digits with the decimal point after the first `point` of them, the way Java lays it out."""
    digits = digits or "0"
    if -2 <= point <= 0:
        return "0." + "0" * -point + digits
    if 0 < point <= 7:
        return digits[:point].ljust(point, "0") + "." + (digits[point:] or "0")
    return f"{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def decimal_text(unscaled, scale):
    """BigDecimal.toString."""
    digits, sign = str(abs(unscaled)), "-" if unscaled < 0 else ""
    adjusted = len(digits) - 1 - scale
    if scale >= 0 and adjusted >= -6:
        return sign + _plain(digits, scale)
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return sign + mantissa + (f"E{adjusted:+d}" if adjusted else "")


def _plain(digits, scale):
    if scale <= 0:
        return digits if digits == "0" else digits + "0" * -scale
    digits = digits.rjust(scale + 1, "0")
    return digits[:-scale] + "." + digits[-scale:]


def json_string(text):
    """A JSON string: the quote, the backslash and control characters are escaped, all else stays."""
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


def json_value(kind, value):
    """Compact JSON of a value with the default options."""
    if value is None:
        return "null"
    name = kind.name
    if name in MAP_OBJECT_KEYS:
        return json_string(value)
    if name in cql_types.INTS or name in ("timestamp", "date", "time"):
        return str(value)
    if name == "varint":
        return f'"{value}"'
    if name == "decimal":
        return f'"{decimal_text(*value)}"'
    if name in ("double", "float"):
        text = binary_text(value.bits, value.width)
        return f'"{text}"' if text in NOT_FINITE else text
    if name == "boolean":
        return "true" if value else "false"
    if name in ("blob", "custom"):
        return '"' + base64.b64encode(value).decode() + '"'
    if name == "duration":
        return '{"months":%d,"days":%d,"nanos":%d}' % value
    if name in ("list", "set", "vector"):
        return "[" + ",".join(json_value(kind.args[0], v) for v in value) + "]"
    if name == "tuple":
        return "[" + ",".join(json_value(t, v) for t, v in zip(kind.args, value)) + "]"
    if name == "udt":
        pairs = (json_string(f) + ":" + json_value(t, v) for f, t, v in zip(kind.fields, kind.args, value))
        return "{" + ",".join(pairs) + "}"
    if name == "map":
        key, item = kind.args
        if key.name in MAP_OBJECT_KEYS:
            return "{" + ",".join(json_string(k or "") + ":" + json_value(item, v) for k, v in value) + "}"
        return "[" + ",".join(f"[{json_value(key, k)},{json_value(item, v)}]" for k, v in value) + "]"
    raise ValueError(f"no JSON for {name}")


def v1_text(kind, value):
    """The hash text of a value that is not null, version 1."""
    name = kind.name
    if name in cql_types.TEXTS or name in cql_types.UUIDS or name == "inet":
        return value
    if name == "boolean":
        return "TRUE" if value else "FALSE"
    if name == "decimal":
        return decimal_text(*value)
    if name in ("double", "float"):
        return binary_text(value.bits, value.width)
    if name in ("blob", "custom"):
        return value.hex()
    if name == "varint":
        return str(value)
    return json_value(kind, value)


class NoV0(Exception):
    """The row has no exact version 0 text."""


def v0_text(kind, value):
    """The hash text of a value, version 0; None for what is left out."""
    name = kind.name
    known = cql_types.TEXTS + cql_types.UUIDS + tuple(cql_types.INTS) + (
        "varint", "boolean", "double", "float", "decimal", "timestamp", "date", "time", "inet")
    if name not in known:
        raise NoV0(name)
    if value is None:
        return None if name == "timestamp" else "NULL"
    if name == "decimal":
        unscaled, scale = value
        if max(len(str(abs(unscaled))), abs(scale)) > V0_PLAIN_DIGITS:
            raise NoV0("a long decimal")
        return ("-" if unscaled < 0 else "") + _plain(str(abs(unscaled)), scale)
    if name in ("double", "float"):
        return _v0_binary(value)
    if name == "timestamp":
        days, millis = divmod(value, 86_400_000)
        return f"{_v0_date(days)} {_clock(millis // 1000)}.{millis % 1000:03d}"
    if name == "date":
        return _v0_date(value)
    if name == "time":
        return _clock(value // 1_000_000_000)
    return v1_text(kind, value)


def _v0_binary(value):
    number = struct.unpack(">d" if value.width == 64 else ">f", value.bits.to_bytes(value.width // 8, "big"))[0]
    if number != 0 and number == number and abs(number) != float("inf"):
        low, high = V0_DOUBLE if value.width == 64 else V0_FLOAT
        if not low <= abs(number) < high:
            raise NoV0("a number that Java versions print differently")
    return binary_text(value.bits, value.width)




def _v0_date(days):
    """yyyy-MM-dd of the proleptic Gregorian calendar, years 0000 to 9999."""
    if not -719_528 <= days <= 2_932_896:
        raise NoV0("a day outside the years 0000 to 9999")
    if days < -719_162:  # year 0: Python's calendar starts at year 1; year 400 has the same days
        return "0000" + str(datetime.date.fromordinal(days + 146_097 + 719_163))[4:]
    return str(datetime.date.fromordinal(days + 719_163))


def _clock(seconds):
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
