"""FreeRADIUS, as an accounting server with a configuration of its own, in the foreground."""

import pathlib
import re
import socket

from lab import require, wait_for

SECRET = "testing123"

CONFIGURATION = """
prefix = /usr
libdir = /usr/lib/freeradius
name = weir-test
logdir = {folder}
run_dir = {folder}
raddbdir = {folder}
log {{ destination = stdout }}
security {{ status_server = yes }}
thread pool {{
    start_servers = 1
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 2
    max_requests_per_server = 0
    auto_limit_acct = no
}}
client gateway {{
    ipaddr = 127.0.0.1
    secret = {secret}
}}
modules {{
    detail {{
        filename = {folder}/detail
        header = "%t"
        permissions = 0600
    }}
    always ok {{ rcode = ok }}
}}
server default {{
    listen {{
        type = acct
        ipaddr = {address}
        port = {port}
    }}
    accounting {{
        detail
        ok
    }}
}}
"""

ATTRIBUTE = re.compile(r"^\t([\w-]+) = (.*)$")


class FreeRADIUS:
    def __init__(self, test, port, prefix=(), address="127.0.0.1"):
        (self.program,) = require("freeradius")
        self.test, self.prefix, self.starts = test, prefix, 0
        self.folder = pathlib.Path(test.folder) / "radius"
        self.folder.mkdir()
        self.detail = self.folder / "detail"
        (self.folder / "radiusd.conf").write_text(CONFIGURATION.format(
            folder=self.folder, secret=SECRET, port=port, address=address))
        self.start()

    def start(self):
        self.starts += 1
        self.daemon = self.test.start(
            f"freeradius-{self.starts}", *self.prefix, self.program, "-f", "-l", "stdout",
            "-n", "radiusd", "-d", self.folder, "-D", "/usr/share/freeradius", environment={"TZ": "UTC"})
        wait_for("FreeRADIUS to be ready", lambda: self.daemon.check() or (
            "Ready to process requests" in self.daemon.stdout.read_text(errors="replace")), 30)

    def stop(self):
        """It is gone, at once."""
        self.daemon.kill()

    def records(self):
        """Each record of its detail file, as a dictionary of texts."""
        try:
            text = self.detail.read_text()
        except FileNotFoundError:
            return []
        return [dict(match.groups() for line in block.splitlines()
                     if (match := ATTRIBUTE.match(line)))
                for block in text.split("\n\n") if block.strip()]

    def of(self, status):
        """The records of a kind, by their session's id; the first of those that came twice."""
        found = {}
        for record in self.records():
            if record.get("Acct-Status-Type") == status:
                found.setdefault(record.get("Acct-Session-Id", "").strip('"'), record)
        return found


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
