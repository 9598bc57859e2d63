"""The part of six that modules use, for Python 3."""

import builtins
import importlib
import io
import sys
import types

PY2 = False
PY3 = True
PY34 = True
string_types = (str,)
integer_types = (int,)
class_types = (type,)
text_type = str
binary_type = bytes
MAXSIZE = sys.maxsize
StringIO = io.StringIO
BytesIO = io.BytesIO
unichr = chr
next = builtins.next
advance_iterator = builtins.next
callable = builtins.callable
exec_ = builtins.exec
print_ = builtins.print


def iteritems(d, **kw):
    return iter(d.items(**kw))


def iterkeys(d, **kw):
    return iter(d.keys(**kw))


def itervalues(d, **kw):
    return iter(d.values(**kw))


def viewitems(d):
    return d.items()


def viewkeys(d):
    return d.keys()


def viewvalues(d):
    return d.values()


def b(s):
    return s.encode("latin-1")


def u(s):
    return s


def ensure_text(s, encoding="utf-8", errors="strict"):
    return s.decode(encoding, errors) if isinstance(s, bytes) else s


def ensure_str(s, encoding="utf-8", errors="strict"):
    return ensure_text(s, encoding, errors)


def ensure_binary(s, encoding="utf-8", errors="strict"):
    return s.encode(encoding, errors) if isinstance(s, str) else s


def reraise(tp, value, tb=None):
    raise (value if value is not None else tp()).with_traceback(tb)


def raise_from(value, from_value):
    raise value from from_value


def with_metaclass(meta, *bases):
    return meta("temporary_class", bases or (object,), {})


def add_metaclass(metaclass):
    def wrapper(cls):
        body = {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__")}
        return metaclass(cls.__name__, cls.__bases__, body)
    return wrapper


def python_2_unicode_compatible(klass):
    return klass


def _module(name, **members):
    made = types.ModuleType(__name__ + "." + name)
    made.__dict__.update(members)
    sys.modules[made.__name__] = made
    return made


def _lazy(target):
    """A module by another name, imported when it is looked at."""
    def get(name):
        return getattr(importlib.import_module(target), name)
    return {"__getattr__": get, "__path__": []}


_NAMES = {
    "configparser": "configparser", "http_client": "http.client", "http_cookiejar": "http.cookiejar",
    "http_cookies": "http.cookies", "html_parser": "html.parser", "queue": "queue", "cPickle": "pickle",
    "builtins": "builtins", "socketserver": "socketserver", "xmlrpc_client": "xmlrpc.client", "reprlib": "reprlib",
    "email_mime_text": "email.mime.text", "email_mime_multipart": "email.mime.multipart", "copyreg": "copyreg",
    "_thread": "_thread",
}
_parts = {name: _module("moves." + name, **_lazy(target)) for name, target in _NAMES.items()}
_urllib = _module("moves.urllib", __path__=[], **{
    part: _module("moves.urllib." + part, **_lazy(target))
    for part, target in (("parse", "urllib.parse"), ("error", "urllib.error"), ("request", "urllib.request"),
                         ("response", "urllib.response"), ("robotparser", "urllib.robotparser"))
})
_parts["urllib_parse"] = _module("moves.urllib_parse", **_lazy("urllib.parse"))
_parts["urllib_error"] = _module("moves.urllib_error", **_lazy("urllib.error"))


def _zip_longest(*args, **kw):
    import itertools
    return itertools.zip_longest(*args, **kw)


def _reduce(*args):
    import functools
    return functools.reduce(*args)


def _quote(text):
    import shlex
    return shlex.quote(text)


moves = _module(
    "moves", __path__=[], urllib=_urllib, zip=zip, map=map, filter=filter, range=range, xrange=range, input=input,
    StringIO=io.StringIO, cStringIO=io.StringIO, zip_longest=_zip_longest, reduce=_reduce, shlex_quote=_quote,
    intern=sys.intern, getcwd=__import__("os").getcwd, getcwdb=__import__("os").getcwdb, **_parts)
