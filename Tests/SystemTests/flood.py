#!/usr/bin/env python3
"""Floods an IKE port for some seconds: flood.py ADDRESS PORT SECONDS RATE.

Good IKE_SA_INIT requests, each by another initiator; answers are not read. Prints how many went.
"""

import os
import socket
import sys
import time

from test_malformed import ike_sa_init


def main():
    address, port, seconds, rate = sys.argv[1], *map(int, sys.argv[2:5])
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tail = ike_sa_init()[8:]
    start = time.monotonic()
    sent = 0
    while (elapsed := time.monotonic() - start) < seconds:
        for _ in range(int(elapsed * rate) - sent):
            out.sendto(os.urandom(8) + tail, (address, port))
            sent += 1
        time.sleep(0.001)
    print(sent)


if __name__ == "__main__":
    main()
