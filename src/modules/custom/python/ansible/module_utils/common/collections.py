from collections.abc import Hashable, Iterable, Mapping, MutableMapping, Sequence


class ImmutableDict(Hashable, Mapping):
    """A mapping that does not change and can be a key."""

    def __init__(self, *args, **kwargs):
        self._own = dict(*args, **kwargs)

    def __getitem__(self, key):
        return self._own[key]

    def __iter__(self):
        return iter(self._own)

    def __len__(self):
        return len(self._own)

    def __hash__(self):
        return hash(frozenset(self.items()))

    def __eq__(self, other):
        return isinstance(other, Hashable) and hash(self) == hash(other)

    def __repr__(self):
        return "ImmutableDict(%r)" % self._own

    def union(self, overriding_mapping):
        return ImmutableDict(self._own, **overriding_mapping)

    def difference(self, subtractive_iterable):
        gone = frozenset(subtractive_iterable)
        return ImmutableDict((k, v) for k, v in self.items() if k not in gone)


def is_string(seq):
    return isinstance(seq, (str, bytes))


def is_iterable(seq, include_strings=False):
    return (include_strings or not is_string(seq)) and isinstance(seq, Iterable)


def is_sequence(seq, include_strings=False):
    return (include_strings or not is_string(seq)) and isinstance(seq, Sequence)


def count(seq):
    if not is_iterable(seq):
        raise Exception("Argument provided  is not an iterable")
    counters = {}
    for item in seq:
        counters[item] = counters.get(item, 0) + 1
    return counters


def to_list(value):
    if isinstance(value, (list, tuple, set)):
        return list(value)
    return [] if value is None else [value]
