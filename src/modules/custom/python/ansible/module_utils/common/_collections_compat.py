from collections.abc import (
    Callable, Container, Hashable, ItemsView, Iterable, Iterator, KeysView, Mapping, MappingView, MutableMapping,
    MutableSequence, MutableSet, Sequence, Set, Sized, ValuesView,
)
