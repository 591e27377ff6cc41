#!/usr/bin/env python3
"""Pings from one IPv4 address to another until it is interrupted, and then waits for the answers
that are under way, which ping(8) does not. Prints how many packets it sent and how many different
answers came.

    pinger.py SOURCE TARGET INTERVAL
"""

import contextlib
import os
import select
import signal
import socket
import struct
import sys
import time

#: How long answers may take once nothing more is sent, in seconds.
PATIENCE = 2


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def request(identifier, number):
    """An echo request (RFC 792) with 56 bytes of data, as ping's."""
    head, data = struct.pack("!BBHHH", 8, 0, 0, identifier, number & 0xffff), bytes(range(56))
    return head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data


def main():
    source, target, interval = sys.argv[1], sys.argv[2], float(sys.argv[3])
    stopped = []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sock.bind((source, 0))
    sock.setblocking(False)
    identifier, sent, answered = os.getpid() & 0xffff, 0, set()
    due = time.monotonic()
    until = None
    while until is None or (time.monotonic() < until and len(answered) < sent):
        now = time.monotonic()
        if stopped and until is None:
            until = now + PATIENCE
        if until is None and now >= due:
            with contextlib.suppress(OSError):  # what could not be sent is not answered
                sock.sendto(request(identifier, sent), (target, 0))
            sent += 1
            due = max(due + interval, now)
        if select.select([sock], [], [], min(interval, 0.05))[0]:
            packet, (sender, _) = sock.recvfrom(2048)
            icmp = packet[(packet[0] & 15) * 4:]
            kind, _, _, name, number = struct.unpack("!BBHHH", icmp[:8])
            if (kind, name, sender) == (0, identifier, target):
                answered.add(number)
    print(f"{sent} packets transmitted, {len(answered)} received")


if __name__ == "__main__":
    main()
