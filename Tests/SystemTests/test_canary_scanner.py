"""The scanner of test_canary.py finds what it must, and nothing else."""

import random
import unittest

import canary
from canary import Canary, patterns, scan
from planting import planted, plantings, missed

CANARIES = [
    Canary("psk", b"correct horse battery staple"),
    Canary("identity", b"Alice+vpn@example.org"),
    Canary("address", b"198.51.100.173"),
    Canary("address bytes", bytes([198, 51, 100, 173])),
    Canary("SK_d", bytes(range(131, 163))),
    Canary("odd", b"\xff\xfe\xfb\xef\xbe~?>/+%2 "),
    Canary("uneven", bytes(range(200, 217))),
]


class ScannerTests(unittest.TestCase):
    def test_every_value_in_every_encoding_is_found(self):
        noise = random.Random(1).randbytes(50_000)
        for each in CANARIES:
            for encoding, written in plantings(each.value):
                with self.subTest(canary=each.name, encoding=encoding):
                    data = noise[:9_999] + written + noise[9_999:]
                    hits = scan([each], {"file": data})
                    self.assertIn((each.name, encoding), {(h.canary, h.encoding) for h in hits})

    def test_all_at_once_are_found(self):
        data = planted(random.Random(2).randbytes(100_000), CANARIES, seed=3)
        self.assertEqual(missed(scan(CANARIES, {"f": data}), CANARIES, canary.SHORTEST), [])

    def test_every_pattern_has_its_planting(self):
        for each in CANARIES:
            self.assertEqual(
                {name for name, _ in patterns(each.value)},
                {name for name, _ in plantings(each.value)}, each.name)

    def test_noise_holds_nothing(self):
        noise = random.Random(4).randbytes(1_000_000)
        self.assertEqual(scan(CANARIES, {"noise": noise, "text": noise.hex().encode()}), [])

    def test_half_a_key_is_found(self):
        key = Canary("key", bytes(range(131, 163)))
        for half in (key.value[:16], key.value[16:], key.value[:8]):
            self.assertTrue(scan([key], {"file": b"x" + half + b"x"}))
            self.assertTrue(scan([key], {"file": half.hex().encode()}))

    def test_text_is_found_in_other_case(self):
        for written in (b"ALICE+VPN@EXAMPLE.ORG", b"alice+vpn@example.org"):
            self.assertTrue(scan([CANARIES[1]], {"log": written}))

    def test_a_hit_says_where(self):
        hit = scan([CANARIES[0]], {"log": b"psk=correct horse battery staple"})[0]
        self.assertEqual(
            (hit.canary, hit.encoding, hit.place, hit.offset), ("psk", "raw", "log", 4))
