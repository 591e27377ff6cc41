"""Reads a chunk of samples by docs/store-format.md alone. Shares nothing with Weir's own code.

    python3 chunk_reader.py HEX        prints the samples of one chunk, as JSON
    python3 chunk_reader.py STORE.db   prints every chunk of a store, one JSON object in a line
"""

import json
import sqlite3
import sys
import zlib


class Bits:
    """Bits of bytes, the most significant first."""

    def __init__(self, data):
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def read(self, width):
        if self.at + width > len(self.text):
            raise ValueError("truncated")
        self.at += width
        return int(self.text[self.at - width:self.at] or "0", 2)

    def rice(self, parameter):
        quotient = 0
        while quotient < 20:
            if self.read(1) == 0:
                return quotient << parameter | self.read(parameter)
            quotient += 1
        return self.read(64)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def unfold(number):
    return (number >> 1) ^ -(number & 1)


def signed(number):
    number &= 2**64 - 1
    return number - 2**64 if number >> 63 else number


def decode(data):
    body, checksum = data[:-4], int.from_bytes(data[-4:], "little")
    if zlib.crc32(body) != checksum:
        raise ValueError("checksum")
    if body[0] != 1:
        raise ValueError(f"format {body[0]}")
    flags, columns = body[1], body[2]
    begins, ends, regular, marked, idle = (bool(flags >> bit & 1) for bit in range(5))
    count, at = varint(body, 3)
    unit, at = 10 ** body[at], at + 1
    first, at = varint(body, at)
    period, at = varint(body, at)
    first, period = unfold(first), unfold(period)
    time_rice = 0
    if not regular:
        time_rice, at = body[at], at + 1
    row = [0] * columns
    if not begins:
        for column in range(columns):
            row[column], at = varint(body, at)
    codes = []
    if not idle:
        for _ in range(columns):
            first_byte, centre, rice = body[at:at + 3]
            at += 3
            centre = centre - 256 if centre > 127 else centre
            codes.append((first_byte & 0x3F, bool(first_byte & 0x40), centre, rice))
    bits = Bits(body[at:])
    times, time = [], first
    for sample in range(count):
        if sample:
            time = signed(time + period)
            if not regular:
                time = signed(time + unfold(bits.rice(time_rice)))
        times.append(time * unit)
    marks = [bits.read(2) for _ in range(count)] if marked else [0] * count
    values = []
    for _ in range(count):
        if not idle and bits.read(1):
            levels = []
            for column, (reference, is_signed, centre, rice) in enumerate(codes):
                level = unfold(bits.rice(rice)) + centre
                if reference:
                    level += levels[reference - 1]
                levels.append(level)
                if level < 2:
                    step = level
                else:
                    octave, half = divmod(level - 1, 2)
                    step = (2 | half) << (octave - 1) | bits.read(max(0, octave - 1))
                if is_signed:
                    step = unfold(step)
                row[column] = (row[column] + step) % 2**64
        values.append(list(row))
    if len(bits.text) - bits.at > 7 or "1" in bits.text[bits.at:]:
        raise ValueError("trailing")
    return {"begins": begins, "ends": ends, "times": times, "marks": marks, "values": values}


def main():
    argument = sys.argv[1]
    if argument.endswith(".db"):
        connection = sqlite3.connect(f"file:{argument}?mode=ro", uri=True)
        for run, child, data in connection.execute(
                "SELECT s.run, s.child, c.data FROM chunks c JOIN series s ON s.id = c.series"
                " ORDER BY c.id"):
            print(json.dumps({"run": run, "child": child, **decode(data)}))
    else:
        print(json.dumps(decode(bytes.fromhex(argument))))


if __name__ == "__main__":
    main()
