"""Sizes for people."""

import re

_STEPS = ("", "K", "M", "G", "T", "P", "E", "Z", "Y")
SIZE_RANGES = {letter: 1 << (10 * step) for step, letter in reversed(list(enumerate(_STEPS))) if letter}
SIZE_RANGES["B"] = 1


def lenient_lowercase(lst):
    return [item.lower() if isinstance(item, str) else item for item in lst]


def human_to_bytes(number, default_unit=None, isbits=False):
    found = re.match(r"^\s*(\d*\.?\d*)\s*([A-Za-z]+)?", str(number))
    if found is None or not found.group(1):
        raise ValueError("human_to_bytes() can't interpret following string: %s" % number)
    unit = found.group(2) or default_unit
    value = float(found.group(1))
    if unit is None:
        return int(round(value))
    factor = SIZE_RANGES.get(unit[0].upper())
    ending = unit[1:]
    allowed = ("", "b", "bit", "bits") if isbits else ("", "B", "byte", "bytes", "iB")
    plain = ("b", "bit", "bits") if isbits else ("B", "byte", "bytes")
    if unit in plain:
        factor, ending = 1, ""
    if factor is None or ending not in allowed:
        raise ValueError("human_to_bytes() failed to convert %s (unit = %s)" % (number, unit))
    return int(round(value * factor))


def bytes_to_human(size, isbits=False, unit=None):
    base = "bits" if isbits else "Bytes"
    for step, letter in reversed(list(enumerate(_STEPS))):
        limit = 1 << (10 * step)
        if (unit is None and size >= limit) or (unit is not None and unit.upper() == (letter or base[0].upper())):
            break
    suffix = letter + (("b" if isbits else "B") if letter else base)
    return "%.2f %s" % (size / limit, suffix)
