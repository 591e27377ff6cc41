"""What goes wrong with the store's disk never reaches a packet: the gateway forwards all of them
while the disk is full, while somebody holds the store's lock and while a reader has its log at
the limit, and afterwards nothing is missing."""

import contextlib
import errno
import os
import sqlite3

from charon import Charon, client_configuration, pinging
from lab import LabTestCase, Network, free_port, wait_for
from weir import Weir

LOG_LIMIT = 32 << 20
USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"


class FaultTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.run_command("mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", self.disk)
        # Lazily: a weir of a test that failed may still be there.
        self.addCleanup(self.run_command, "umount", "--lazy", self.disk)
        self.weir = Weir.in_lab(self, self.network, telemetry={
            "store": f"{self.disk}/weir.db", "interval": "1s", "store_log_limit": LOG_LIMIT,
            "metrics": {"listen": "127.0.0.1", "port": free_port()}})
        self.client = Charon(
            self, "client", self.network.client, client_configuration({"right": (USER, PSK)}))

    def errors(self):
        return self.weir.metric("weir_store_errors_total")

    def wait_for_errors(self, what):
        before = self.errors()
        wait_for(f"the store to fail: {what}", lambda: self.errors() > before, 30, every=0.2)
        # More than one attempt, and packets meanwhile.
        self.client.wait_for_packets(10)

    def wait_for_ticks(self):
        last = self.weir.rows("SELECT max(at_ns) AS at FROM ticks")[0]["at"]
        self.weir.wait_for_rows(
            "the store to take facts again", "SELECT 1 FROM ticks WHERE at_ns > ?", last,
            seconds=30)

    @contextlib.contextmanager
    def full_disk(self):
        path = self.disk / "filler"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(descriptor, bytes(4096))
        except OSError as error:
            self.assertEqual(error.errno, errno.ENOSPC)
        finally:
            os.close(descriptor)
        yield
        path.unlink()

    @contextlib.contextmanager
    def locked_store(self):
        connection = sqlite3.connect(self.weir.store, isolation_level=None, timeout=30)
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
        connection.close()

    @contextlib.contextmanager
    def pinned_log(self):
        """A reader in a transaction, and more in the log behind it than there may be."""
        reader = sqlite3.connect(self.weir.store, isolation_level=None, timeout=30)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchall()
        writer = sqlite3.connect(self.weir.store, isolation_level=None, timeout=30)
        writer.execute("CREATE TABLE filler (content BLOB)")
        writer.execute("INSERT INTO filler VALUES (zeroblob(?))", (LOG_LIMIT,))
        writer.execute("DROP TABLE filler")
        writer.close()
        yield
        reader.execute("ROLLBACK")
        reader.close()

    def log_size(self):
        return os.path.getsize(f"{self.weir.store}-wal")

    def test_packets_never_wait_for_the_store(self):
        self.client.connect("right")
        address = self.client.virtual_address("right")
        self.weir.wait_for_rows("the login", "SELECT 1 FROM sessions")
        with pinging(self.network, self.network.client, address, Network.LAN_ADDRESS) as pings:
            self.client.wait_for_packets(5)
            with self.full_disk():
                self.wait_for_errors("no room")
            self.wait_for_ticks()
            with self.locked_store():
                self.wait_for_errors("locked")
            self.wait_for_ticks()
            with self.pinned_log():
                self.wait_for_errors("pinned")
                size = self.log_size()
                self.wait_for_errors("pinned still")
                self.assertGreaterEqual(size, LOG_LIMIT)
                self.assertEqual(self.log_size(), size)
                self.assertEqual(self.weir.http("/readyz")[0], 503)
            self.wait_for_ticks()
            self.assertLess(self.log_size(), LOG_LIMIT)
        traffic = self.client.settled_traffic()
        self.client.disconnect("right")
        self.weir.wait_for_rows(
            "the session to be closed", "SELECT 1 FROM sessions WHERE ended_ns IS NOT NULL")
        session = self.weir.rows("SELECT * FROM sessions")[0]
        # Every ping went in and its answer out, and the client has it.
        self.assertEqual((session["packets_in"], session["packets_out"]), (pings[0], pings[0]))
        self.assertEqual((traffic[3], traffic[1]), (pings[0], pings[0]))
        self.assertEqual(self.weir.rows("SELECT * FROM events_lost"), [])
        self.weir.command("store", "check", "--store", self.weir.store)
        self.weir.stop()
        log = self.weir.daemon.stdout.read_text() + self.weir.daemon.stderr.read_text()
        self.assertIn("the store takes no facts", log)
        self.assertIn("the store takes facts again", log)
        self.assertIn(f"end process {os.getpid()} (", log)
