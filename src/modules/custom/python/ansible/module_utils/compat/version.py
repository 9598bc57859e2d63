"""Versions that are compared piece by piece."""

import re


class Version:
    def __init__(self, vstring=None):
        if vstring:
            self.parse(vstring)

    def parse(self, vstring):
        raise NotImplementedError

    def __repr__(self):
        return "%s ('%s')" % (type(self).__name__, self)

    def _compare(self, other):
        if isinstance(other, str):
            other = type(self)(other)
        if not isinstance(other, Version):
            return NotImplemented
        if self.version == other.version:
            return 0
        return -1 if self.version < other.version else 1

    def __eq__(self, other):
        return self._compare(other) == 0

    def __lt__(self, other):
        return self._compare(other) < 0

    def __le__(self, other):
        return self._compare(other) <= 0

    def __gt__(self, other):
        return self._compare(other) > 0

    def __ge__(self, other):
        return self._compare(other) >= 0


class LooseVersion(Version):
    def parse(self, vstring):
        self.vstring = vstring
        pieces = re.findall(r"\d+|[a-z]+|[^\da-z.]+", vstring)
        self.version = [int(piece) if piece.isdigit() else piece for piece in pieces]

    def __str__(self):
        return self.vstring


class StrictVersion(Version):
    def parse(self, vstring):
        found = re.match(r"^(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?$", vstring)
        if not found:
            raise ValueError("invalid version number '%s'" % vstring)
        self.vstring = vstring
        major, minor, patch, letter, number = found.groups()
        self.prerelease = (letter, int(number)) if letter else None
        numbers = (int(major), int(minor), int(patch or 0))
        self.version = numbers + ((letter, int(number)) if letter else ("z", 0))

    def __str__(self):
        return self.vstring
