BOOLEANS_TRUE = frozenset(("y", "yes", "on", "1", "true", "t", 1, 1.0, True))
BOOLEANS_FALSE = frozenset(("n", "no", "off", "0", "false", "f", 0, 0.0, False))
BOOLEANS = BOOLEANS_TRUE.union(BOOLEANS_FALSE)


def boolean(value, strict=True):
    if isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    word = value.lower().strip() if isinstance(value, str) else value
    try:
        if word in BOOLEANS_TRUE:
            return True
        if word in BOOLEANS_FALSE or not strict:
            return False
    except TypeError:
        if not strict:
            return False
    known = ", ".join(sorted(repr(item) for item in BOOLEANS))
    raise TypeError("The value '%s' is not a valid boolean.  Valid booleans include: %s" % (value, known))
