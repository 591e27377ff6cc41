"""A scanner for values that must not be where they are, however they were written.

A canary is a value that a test planted at the door: a key, an identity, an address. The scanner
looks for it in every encoding that a careless line of code is likely to use.
"""

import base64
import urllib.parse
from dataclasses import dataclass

#: Shorter patterns are found by chance in any database.
SHORTEST = 4


@dataclass(frozen=True)
class Canary:
    """A named value. Text is also looked for in upper and lower case."""

    name: str
    value: bytes

    @property
    def variants(self):
        """The values to look for. Half a key is as bad as the whole, so a long binary value is
        looked for by its first and last 8 bytes."""
        try:
            text = self.value.decode("ascii")
        except UnicodeDecodeError:
            text = ""
        if text.isprintable() and text:
            return sorted({self.value, text.lower().encode(), text.upper().encode()})
        if len(self.value) >= 16:
            return [self.value[:8], self.value[-8:]]
        return [self.value]


@dataclass(frozen=True)
class Hit:
    canary: str
    encoding: str
    place: str
    offset: int


def hexadecimal(value, separator="", upper=False):
    text = value.hex(separator) if separator else value.hex()
    return (text.upper() if upper else text).encode()


def base64_core(value, skipped, altchars=None):
    """The characters of base64 that depend on `value` alone, when `skipped` bytes (modulo 3) of
    something else stand before it and anything after it."""
    encoded = base64.b64encode(bytes(skipped) + value, altchars).rstrip(b"=")
    first = {0: 0, 1: 2, 2: 3}[skipped]
    whole = (skipped + len(value)) * 8 // 6
    return encoded[first:whole]


def patterns(value):
    """(encoding, bytes to look for) of one value."""
    found = [("raw", value), ("reversed", value[::-1])]
    for case, upper in (("lower", False), ("upper", True)):
        found.append((f"hex {case}", hexadecimal(value, "", upper)))
        found.append((f"hex {case} spaced", hexadecimal(value, " ", upper)))
        found.append((f"hex {case} colon", hexadecimal(value, ":", upper)))
    for skipped in range(3):
        found.append((f"base64 at {skipped}", base64_core(value, skipped)))
        found.append((f"base64url at {skipped}", base64_core(value, skipped, b"-_")))
    percent = "".join(f"%{byte:02x}" for byte in value)
    found.append(("url all", percent.encode()))
    found.append(("url all upper", percent.upper().encode()))
    found.append(("url", urllib.parse.quote(value, safe="").encode()))
    wide = value.decode("latin-1")
    found.append(("utf-16 little", wide.encode("utf-16-le")))
    found.append(("utf-16 big", wide.encode("utf-16-be")))
    for name, separator in (("comma", ","), ("comma space", ", "), ("space", " ")):
        found.append((f"decimal {name}", separator.join(str(byte) for byte in value).encode()))
    return [(name, pattern) for name, pattern in found if len(pattern) >= SHORTEST]


def scan(canaries, places):
    """Every hit of a canary in `places`, a dictionary of bytes by name."""
    hits = []
    for canary in canaries:
        for value in canary.variants:
            for encoding, pattern in patterns(value):
                for place, data in places.items():
                    offset = data.find(pattern)
                    if offset >= 0:
                        hits.append(Hit(canary.name, encoding, place, offset))
    return hits
