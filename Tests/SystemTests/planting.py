"""Writes canaries the way careless code would, to prove that the scanner finds them.

Deliberately not made from canary.py's code: a mistake there must not be repeated here.
"""

import codecs
import random
import struct

SURROUNDINGS = b"\x00level=info msg=\"", b"\" \n\xff"


def plantings(value):
    """(encoding's name in canary.py, the bytes that careless code would write)."""
    def hexed(form, separator=""):
        return separator.join(form % byte for byte in value).encode()

    def joined(separator):
        return separator.join(map(str, value)).encode()
    result = [
        ("raw", value),
        ("reversed", bytes(value[at] for at in range(len(value) - 1, -1, -1))),
        ("utf-16 little", b"".join(struct.pack("<H", byte) for byte in value)),
        ("utf-16 big", b"".join(struct.pack(">H", byte) for byte in value)),
        ("url all", hexed("%%%02x")), ("url all upper", hexed("%%%02X")),
        ("url", percent_encoded(value)),
        ("decimal comma", joined(",")), ("decimal comma space", joined(", ")),
        ("decimal space", joined(" ")),
    ]
    for case, form in (("lower", "%02x"), ("upper", "%02X")):
        result += [(f"hex {case}", hexed(form)), (f"hex {case} spaced", hexed(form, " ")),
                   (f"hex {case} colon", hexed(form, ":"))]
    for skipped in range(3):
        inside = b"\xfa\x7e"[:skipped] + value + b"\xd5\x3c\x81"
        text = codecs.encode(inside, "base64").replace(b"\n", b"")
        result.append((f"base64 at {skipped}", text))
        result.append((f"base64url at {skipped}", text.translate(bytes.maketrans(b"+/", b"-_"))))
    return result


def percent_encoded(value):
    """Percent-encoding of all that RFC 3986 §2.3 does not call unreserved."""
    unreserved = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    return b"".join(
        bytes([byte]) if byte in unreserved else b"%%%02X" % byte for byte in value)


def planted(data, canaries, seed):
    """A copy of `data` with every canary in it in every encoding, at random places."""
    chance = random.Random(seed)
    pieces = [before + encoded + after for canary in canaries
              for _, encoded in plantings(canary.value)
              for before, after in [SURROUNDINGS]]
    chance.shuffle(pieces)
    cuts = sorted(chance.randrange(len(data) + 1) for _ in pieces)
    copy, last = bytearray(), 0
    for cut, piece in zip(cuts, pieces):
        copy += data[last:cut] + piece
        last = cut
    return bytes(copy + data[last:])


def missed(found, canaries, shortest):
    """(canary, encoding) pairs that were planted and are not among the hits `found`."""
    seen = {(hit.canary, hit.encoding) for hit in found}
    return [(canary.name, encoding) for canary in canaries
            for encoding, written in plantings(canary.value)
            if len(written) >= shortest and (canary.name, encoding) not in seen]
