"""Text and bytes."""

import codecs
import datetime
import json
from collections.abc import Mapping, Set


def _handler(errors):
    if errors in (None, "surrogate_or_replace", "surrogate_then_replace", "surrogate_or_strict"):
        return "surrogateescape"
    return errors


def to_bytes(obj, encoding="utf-8", errors=None, nonstring="simplerepr"):
    if isinstance(obj, bytes):
        return obj
    if isinstance(obj, str):
        try:
            return obj.encode(encoding, _handler(errors))
        except UnicodeEncodeError:
            if errors in (None, "surrogate_then_replace", "surrogate_or_replace"):
                clean = obj.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                return clean.encode(encoding, "replace")
            raise
    return _other(obj, nonstring, lambda text: to_bytes(text, encoding, errors), b"")


def to_text(obj, encoding="utf-8", errors=None, nonstring="simplerepr"):
    if isinstance(obj, str):
        return obj
    if isinstance(obj, bytes):
        return obj.decode(encoding, _handler(errors))
    return _other(obj, nonstring, lambda text: text, "")


def _other(obj, nonstring, convert, empty):
    if nonstring == "simplerepr":
        try:
            return convert(str(obj))
        except UnicodeError:
            return convert(repr(obj))
    if nonstring == "passthru":
        return obj
    if nonstring == "empty":
        return empty
    if nonstring == "strict":
        raise TypeError("obj must be a string type")
    raise TypeError("Invalid value %s for nonstring parameter" % nonstring)


to_native = to_text


def _plain(obj):
    if isinstance(obj, bytes):
        return to_text(obj)
    if isinstance(obj, (datetime.date, datetime.datetime)):
        return obj.isoformat()
    if isinstance(obj, Set):
        return list(obj)
    if isinstance(obj, Mapping):
        return dict(obj)
    raise TypeError("Object of type %s is not JSON serializable" % type(obj).__name__)


def jsonify(data, **options):
    return json.dumps(data, default=_plain, **options)


def container_to_bytes(d, encoding="utf-8", errors="surrogate_or_strict"):
    return _walk(d, str, lambda text: to_bytes(text, encoding, errors))


def container_to_text(d, encoding="utf-8", errors="surrogate_or_strict"):
    return _walk(d, bytes, lambda data: to_text(data, encoding, errors))


def _walk(value, kind, convert):
    if isinstance(value, kind):
        return convert(value)
    if isinstance(value, dict):
        return {_walk(k, kind, convert): _walk(v, kind, convert) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_walk(item, kind, convert) for item in value)
    return value
