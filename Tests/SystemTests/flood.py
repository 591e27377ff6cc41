#!/usr/bin/env python3
"""Floods an IKE port: flood.py ADDRESS PORT SECONDS RATE [spoofed].

Good IKE_SA_INIT requests, each by another initiator; answers are not read. With `spoofed` each
comes from another address of 198.18.0.0/15, the network for benchmarks (RFC 2544), for which root
is needed. Prints how many went.
"""

import os
import socket
import struct
import sys
import time

from test_malformed import ike_sa_init

#: Requests are made once and sent again and again, to be quick: a gateway that keeps nothing of
#: them can't tell.
DIFFERENT = 20_000


def request():
    return os.urandom(8) + ike_sa_init()[8:]


def spoofed(port):
    """A request in UDP and IPv4, from anybody. The kernel writes the IP checksum; UDP has none."""
    message = request()
    udp = struct.pack(">HHHH", 500, port, 8 + len(message), 0) + message
    source = bytes([198, 18 + os.urandom(1)[0] % 2]) + os.urandom(2)
    return source, udp


def main():
    address, port, seconds, rate = sys.argv[1], *map(int, sys.argv[2:5])
    destination = socket.inet_aton(address)
    if "spoofed" in sys.argv:
        out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        packets = []
        for _ in range(DIFFERENT):
            source, udp = spoofed(port)
            packets.append(struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0,
                source, destination) + udp)
    else:
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        packets = [request() for _ in range(DIFFERENT)]
    target = (address, port)
    start = time.monotonic()
    sent = 0
    while (elapsed := time.monotonic() - start) < seconds:
        for number in range(sent, int(elapsed * rate)):
            out.sendto(packets[number % DIFFERENT], target)
            sent += 1
        time.sleep(0.001)
    print(sent)


if __name__ == "__main__":
    main()
