"""`weir load`: its figures agree with the gateway's own, and it minds where it sends."""

import json

from lab import LabTestCase
from weir import Weir, binary, configuration, write_secret


class LoadTests(LabTestCase):
    def load(self, weir, *words, status=0):
        gateway = weir.settings["gateway"]
        return weir.command(
            "load", "--to", f"127.0.0.1:{gateway['port']}", "--nat-port", gateway["nat_port"],
            "--domain", "example.org", *words, status=status)

    def test_logs_in_and_out(self):
        weir = Weir(self, configuration(self.folder))
        done = self.load(weir, "--psk-file", self.folder / "staff.psk", "--rate", "50",
                         "--sessions", "10", "--duration", "2s", "--format", "json")
        row = json.loads(done.stdout)["rows"][0]
        self.assertGreaterEqual(row["logins"], 50)
        self.assertEqual((row["failed"], row["lost"], row["up"]), (0, 0, 10))
        self.assertLessEqual(row["p50_ns"], row["p99_ns"])
        self.assertIn("up, ", done.stderr)
        weir.stop()
        found = weir.rows("SELECT count(*) AS n, count(ended_ns) AS ended FROM sessions")[0]
        self.assertEqual((found["n"], found["ended"]), (row["logins"], row["logins"]))

    def test_says_why_nobody_got_in(self):
        weir = Weir(self, configuration(self.folder))
        write_secret(self.folder / "other.psk", "not the PSK")
        done = self.load(weir, "--psk-file", self.folder / "other.psk", "--hold", "--sessions", "5",
                         "--duration", "2s", status=1)
        self.assertIn("wrong_credential", done.stdout)
        self.assertIn("let nobody in", done.stderr)
        weir.stop()
        self.assertEqual(len(weir.rows("SELECT * FROM ike_auth_failed")), 5)

    def test_refuses_other_machines(self):
        write_secret(self.folder / "staff.psk", "a PSK")
        done = self.run_command(
            binary(), "load", "--to", "192.0.2.77", "--psk-file", self.folder / "staff.psk",
            status=2)
        self.assertIn("--allow-remote", done.stderr)
