"""Clients come back by ticket (RFC 5723): after a restart, a crash, and when the keys are gone."""

import json
import subprocess

from lab import LabTestCase, wait_for
from weir import UNLIMITED, Weir, binary, configuration

CLIENTS = 12


def end(process):
    """Leaves nothing of it behind."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


class ResumptionTests(LabTestCase):
    def setUp(self):
        super().setUp()
        settings = configuration(self.folder)
        self.keys = self.folder / "tickets.keys"
        settings["gateway"] |= {
            "resumption": {"ticket_keys": str(self.keys), "silent_stop": True},
            "defence": UNLIMITED}
        self.weir = Weir(self, settings)

    def log_in_and_vanish(self):
        """`weir load --resume --wait`, when it has logged in everybody and forgotten them."""
        gateway = self.weir.settings["gateway"]
        load = subprocess.Popen(
            [str(word) for word in (
                binary(), "load", "--to", f"127.0.0.1:{gateway['port']}",
                "--nat-port", gateway["nat_port"], "--domain", "example.org",
                "--psk-file", self.folder / "staff.psk", "--sessions", CLIENTS,
                "--resume", "--wait", "--duration", "60s", "--format", "json")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(end, load)
        told = []
        for line in load.stderr:
            told.append(line)
            if line.startswith("gone;"):
                break
        self.assertEqual(told[-1:], [f"gone; {CLIENTS} have a ticket; Enter lets them come back\n"])
        return load

    def come_back(self, load):
        """The rows that it prints in the end."""
        output, errors = load.communicate("\n", timeout=60)
        self.assertEqual(load.returncode, 0, errors)
        wait_for("all to have logged out", lambda: self.weir.rows(
            "SELECT count(*) AS n FROM session_closed WHERE reason = 'deleted_by_peer'"
        )[0]["n"] == CLIENTS, 30)
        return json.loads(output)["rows"]

    def check_accounts(self, ends):
        """Every session that began has ended, once, and as it should have."""
        rows = self.weir.rows(
            "SELECT reason, count(*) AS n FROM session_closed GROUP BY reason")
        self.assertEqual({row["reason"]: row["n"] for row in rows}, ends)
        found = self.weir.rows(
            "SELECT count(*) AS n, count(ended_ns) AS ended FROM sessions")[0]
        self.assertEqual((found["n"], found["ended"]), (sum(ends.values()),) * 2)

    def check_everybody_is_back(self, rows):
        """In one round trip, no Diffie-Hellman and no login, and at the old address."""
        self.assertEqual(
            [(row["part"], row["logins"], row["resumed"], row["failed"]) for row in rows],
            [("login", CLIENTS, 0, 0), ("return", CLIENTS, CLIENTS, 0)])
        back = self.weir.rows("""
            SELECT old.virtual_address = new.virtual_address AS same, old.identity = new.identity
                AS own FROM session_established AS new
                JOIN session_established AS old ON new.resumes = old.session""")
        self.assertEqual([(row["same"], row["own"]) for row in back], [(1, 1)] * CLIENTS)
        self.assertEqual(self.weir.rows("SELECT * FROM ticket_refused"), [])

    def test_after_a_restart(self):
        load = self.log_in_and_vanish()
        self.weir.stop()
        self.weir.start()
        rows = self.come_back(load)
        self.weir.stop()
        self.check_everybody_is_back(rows)
        self.check_accounts({"shutdown": CLIENTS, "deleted_by_peer": CLIENTS})
        started = self.weir.rows("SELECT sum(count) AS n FROM ike_sa_init_received")[0]["n"]
        self.assertEqual(started, CLIENTS, "IKE_SA_INIT requests, all of the first part")

    def test_after_a_crash(self):
        load = self.log_in_and_vanish()
        self.weir.wait_for_rows(
            "the logins in the store",
            "SELECT 1 FROM (SELECT count(*) AS n FROM session_established) WHERE n = ?", CLIENTS,
            seconds=30)
        self.weir.crash()
        self.weir.start()
        rows = self.come_back(load)
        self.weir.stop()
        self.check_everybody_is_back(rows)
        self.check_accounts({"crash": CLIENTS, "deleted_by_peer": CLIENTS})

    def test_not_when_the_key_is_gone(self):
        load = self.log_in_and_vanish()
        self.weir.stop()
        self.keys.unlink()
        self.weir.start()
        rows = self.come_back(load)
        self.weir.stop()
        self.assertEqual(
            [(row["part"], row["logins"], row["resumed"], row["failed"]) for row in rows],
            [("login", CLIENTS, 0, 0), ("return", CLIENTS, 0, 0)])
        refused = self.weir.rows(
            "SELECT reason, sum(count) AS n FROM ticket_refused GROUP BY reason")
        self.assertEqual([(row["reason"], row["n"]) for row in refused],
                         [("unknown_key", CLIENTS)])
        self.assertEqual(
            self.weir.rows("SELECT * FROM session_established WHERE resumes IS NOT NULL"), [])
        self.check_accounts({"shutdown": CLIENTS, "deleted_by_peer": CLIENTS})

    def test_while_the_gateway_still_has_the_session(self):
        load = self.log_in_and_vanish()
        rows = self.come_back(load)
        self.weir.stop()
        self.check_everybody_is_back(rows)
        self.check_accounts({"replaced": CLIENTS, "deleted_by_peer": CLIENTS})
