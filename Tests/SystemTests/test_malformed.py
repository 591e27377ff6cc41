"""Broken datagrams have no effect but on the counters."""

import os
import random
import socket
import struct
import time

from lab import LabTestCase, wait_for
from weir import UNLIMITED, Weir, configuration, samples


def payload(following, body):
    """An IKEv2 payload (RFC 7296 §3.2)."""
    return struct.pack(">BBH", following, 0, 4 + len(body)) + body


def ike_sa_init():
    """A good IKE_SA_INIT request: AES-128-GCM, PRF-HMAC-SHA2-256, X25519. Its nonce makes it longer
    than its answer, which would have to wait for a cookie otherwise."""
    transforms = (
        struct.pack(">BBHBBHHH", 3, 0, 12, 1, 0, 20, 0x800E, 128)
        + struct.pack(">BBHBBH", 3, 0, 8, 2, 0, 5)
        + struct.pack(">BBHBBH", 0, 0, 8, 4, 0, 31))
    proposal = struct.pack(">BBHBBBB", 0, 0, 8 + len(transforms), 1, 1, 0, 3) + transforms
    body = (payload(34, proposal)
            + payload(40, struct.pack(">HH", 31, 0) + os.urandom(32))
            + payload(0, os.urandom(64)))
    header = os.urandom(8) + bytes(8) + struct.pack(">BBBBII", 33, 0x20, 34, 8, 0, 28 + len(body))
    return header + body


#: Where `ike_sa_init` has its length fields: offset and size.
LENGTHS = [(24, 4), (30, 2), (34, 2), (42, 2), (54, 2), (62, 2), (70, 2), (110, 2)]


def off_by_one(message):
    """Each length field one too small, one too large, zero, and all ones."""
    for offset, size in LENGTHS:
        value = int.from_bytes(message[offset:offset + size], "big")
        for wrong in (value - 1, value + 1, 0, (1 << 8 * size) - 1):
            yield message[:offset] + wrong.to_bytes(size, "big") + message[offset + size:]


class MalformedTests(LabTestCase):
    def setUp(self):
        super().setUp()
        settings = configuration(self.folder)
        # Cookies and limits have tests of their own.
        settings["gateway"]["max_half_open"] = 100_000
        settings["gateway"]["defence"] = UNLIMITED
        self.weir = Weir(self, settings)
        self.ike = ("127.0.0.1", settings["gateway"]["port"])
        self.nat = ("127.0.0.1", settings["gateway"]["nat_port"])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.settimeout(0.5)

    def send(self, datagrams):
        """To both ports, at a rate that loses none in the socket's buffer."""
        for number, datagram in enumerate(datagrams):
            self.socket.sendto(datagram, self.ike)
            self.socket.sendto(b"\0\0\0\0" + datagram, self.nat)
            self.socket.sendto(datagram, self.nat)
            if number % 50 == 0:
                time.sleep(0.005)

    def counters(self):
        return samples(self.weir.http("/metrics")[2].decode())

    def dropped(self):
        return sum(value for name, value in self.counters().items()
                   if name.startswith("ike_messages_dropped_total"))

    def is_answered(self):
        """Whether a good request is answered by the same exchange."""
        request = ike_sa_init()
        self.socket.sendto(request, self.ike)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            try:
                answer = self.socket.recv(65_536)
            except TimeoutError:
                break
            if answer[:8] == request[:8] and answer[18:20] == bytes([34, 0x20]):
                return answer[16] == 33
        return False

    def assert_survives(self, datagrams):
        before = self.dropped()
        self.send(datagrams)
        wait_for("drops to be counted", lambda: self.dropped() > before)
        wait_for("a good request to be answered", self.is_answered)
        self.weir.daemon.check()
        self.assertEqual(self.weir.http("/healthz")[0], 200)

    def test_lengths_are_where_we_think(self):
        message = ike_sa_init()
        read = [int.from_bytes(message[at:at + size], "big") for at, size in LENGTHS]
        self.assertEqual(read, [len(message), 40, 36, 12, 8, 8, 40, 68])

    def test_every_truncation(self):
        message = ike_sa_init()
        self.assert_survives([message[:length] for length in range(len(message))])

    def test_length_fields(self):
        self.assert_survives(off_by_one(ike_sa_init()))

    def test_bit_flips(self):
        message = ike_sa_init()
        flips = []
        for bit in range(len(message) * 8):
            flipped = bytearray(os.urandom(8) + message[8:])
            flipped[bit // 8] ^= 1 << bit % 8
            flips.append(bytes(flipped))
        self.assert_survives(flips)

    def test_random_bytes(self):
        seed = random.randrange(2**32)
        chance = random.Random(seed)
        with self.subTest(seed=seed):
            self.assert_survives(
                [chance.randbytes(chance.randrange(1500)) for _ in range(1000)])

    def test_random_bodies_behind_a_good_header(self):
        chance = random.Random(7)
        messages = []
        for _ in range(1000):
            body = chance.randbytes(chance.randrange(600))
            messages.append(
                chance.randbytes(8) + chance.choice([bytes(8), chance.randbytes(8)])
                + struct.pack(">BBBBII", chance.choice([33, 46, 53, chance.randrange(256)]), 0x20,
                              chance.randrange(34, 38), chance.choice([0, 8, 0x20, 0x28]),
                              chance.randrange(3), 28 + len(body)) + body)
        self.assert_survives(messages)
