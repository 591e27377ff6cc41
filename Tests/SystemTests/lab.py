"""What the system tests stand on: namespaces, processes, waits with a deadline.

Everything a test makes is its own and is removed in all cases: a temporary folder, network
namespaces with unique names, processes in their own groups. A missing tool is a failure that
says what to install, never a skip.
"""

import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

#: Where Debian has a tool, and the package that brings it.
PACKAGES = {
    "ip": "iproute2",
    "ping": "iputils-ping",
    "nft": "nftables",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "systemd-analyze": "systemd",
    "man": "man-db",
    "dumpcap": "wireshark-common",
    "tshark": "tshark",
    "iperf3": "iperf3",
    "linux.uml": "user-mode-linux",
    "busybox": "busybox-static",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "chromium": "chromium",
    "openssl": "openssl",
    "freeradius": "freeradius",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "/usr/lib/ipsec/charon": "strongswan-charon",
    "/usr/sbin/swanctl": "strongswan-swanctl",
    "/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so": "libcharon-extra-plugins",
    "/usr/lib/ipsec/plugins/libstrongswan-curve25519.so": "libstrongswan-extra-plugins",
    "/usr/lib/ipsec/plugins/libstrongswan-openssl.so": "libstrongswan-standard-plugins",
}


def require(*tools):
    """The paths of `tools`. Fails with the line to run if one is not there."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    found, missing = [], []
    for tool in tools:
        where = shutil.which(tool, path=path) or (os.path.exists(tool) and tool)
        found.append(where)
        if not where:
            missing.append(tool)
    if missing:
        packages = sorted({PACKAGES.get(tool, tool) for tool in missing})
        raise AssertionError(
            f"not installed: {', '.join(missing)}; run: apt-get install {' '.join(packages)}")
    return found


def wait_for(what, condition, seconds=10.0, every=0.05):
    """The first true value of `condition()`. Fails after `seconds`, naming `what`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(every)


def free_port(kind=socket.SOCK_STREAM):
    """A loopback port that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tail(path, lines=40):
    """The last lines of a text file, as far as there are any."""
    try:
        text = pathlib.Path(path).read_text(errors="replace")
    except OSError as error:
        return f"({error})"
    return "\n".join(text.splitlines()[-lines:])


class Daemon:
    """A process that runs until stopped, its output in files."""

    def __init__(self, name, command, folder, environment=None):
        self.name = name
        self.stdout = folder / f"{name}.stdout"
        self.stderr = folder / f"{name}.stderr"
        # Appended to: a restarted daemon's earlier words count, too.
        with open(self.stdout, "ab") as out, open(self.stderr, "ab") as err:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True, env={**os.environ, **(environment or {})})

    @property
    def running(self):
        return self.process.poll() is None

    def check(self):
        """Fails if the process ended."""
        if not self.running:
            raise AssertionError(
                f"{self.name} ended with {self.process.returncode}:\n{tail(self.stderr)}")

    def signal(self, number):
        if self.running:
            os.killpg(self.process.pid, number)

    def wait(self, seconds=15):
        """The exit status; fails if it takes longer."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {seconds} s") from None

    def stop(self, seconds=15):
        """Asks it to end, then makes it; the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        finally:
            self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()


class LabTestCase(unittest.TestCase):
    """A test with a folder of its own that shows the logs of what it started if it fails."""

    maxDiff = 4000

    def run(self, result=None):
        result = result or self.defaultTestResult()
        self._tails = []
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for name, text in self._tails:
                print(f"--- {self.id()}: end of {name}\n{text}", file=sys.stderr)
        return result

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def keep_tail(self, path):
        """Shows the end of this file should the test fail."""
        self.addCleanup(lambda: self._tails.append((pathlib.Path(path).name, tail(path))))

    def start(self, name, *command, environment=None):
        """A daemon that ends with the test."""
        daemon = Daemon(name, command, self.folder, environment)
        self.keep_tail(daemon.stdout)
        self.keep_tail(daemon.stderr)
        self.addCleanup(daemon.kill)
        return daemon

    def run_command(self, *command, seconds=60, status=0, environment=None):
        """The completed process; fails if its exit status is not `status` (None: any)."""
        words = [str(word) for word in command]
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
            env={**os.environ, **(environment or {})})
        if status is not None and done.returncode != status:
            raise AssertionError(
                f"status {done.returncode}, expected {status}: {' '.join(words)}\n"
                f"{done.stdout}{done.stderr}")
        return done


class Network:
    """Two network namespaces joined by a cable.

         gateway                          client
        ┌────────────────────┐           ┌──────────────────┐
        │ 10.99.0.1   (LAN)  │   cable   │                  │
        │ 192.0.2.1 ─────────┼───────────┼──── 192.0.2.2    │
        └────────────────────┘           └──────────────────┘

    No IPv6, so that nothing but the test's own packets is counted.
    """

    GATEWAY_ADDRESS = "192.0.2.1"
    CLIENT_ADDRESS = "192.0.2.2"
    LAN_ADDRESS = "10.99.0.1"

    def __init__(self, test):
        require("ip", "unshare", "ping")
        if os.geteuid() != 0:
            raise AssertionError("network namespaces need root; run: sudo make system")
        if not os.path.exists("/dev/net/tun"):
            raise AssertionError("no /dev/net/tun; run: modprobe tun")
        self.test = test
        suffix = secrets.token_hex(3)
        self.gateway, self.client = f"weir-g-{suffix}", f"weir-c-{suffix}"
        for name in (self.gateway, self.client):
            self._ip("netns", "add", name)
            test.addCleanup(subprocess.run, ["ip", "netns", "del", name], check=False)
            self.run(name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
            self.run(name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
            self._ip("-n", name, "link", "set", "lo", "up")
        self._ip("link", "add", "cable", "netns", self.gateway, "type", "veth",
                 "peer", "name", "cable", "netns", self.client)
        for name, address in (
                (self.gateway, self.GATEWAY_ADDRESS), (self.client, self.CLIENT_ADDRESS)):
            self._ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            self._ip("-n", name, "link", "set", "cable", "up")
        # The LAN is an address on `lo`: dummy devices are not in every kernel.
        self._ip("-n", self.gateway, "address", "add", f"{self.LAN_ADDRESS}/24", "dev", "lo")

    def _ip(self, *words):
        return self.test.run_command("ip", *words)

    def run(self, namespace, *command, **options):
        """Runs a command inside; see `LabTestCase.run_command`."""
        return self.test.run_command("ip", "netns", "exec", namespace, *command, **options)

    def ping(self, namespace, source, target, count=5, interval=0.1):
        """How many of `count` pings were answered."""
        done = self.run(
            namespace, "ping", "-n", "-q", "-c", count, "-i", interval, "-W", 2, "-I", source,
            target, status=None, seconds=count * (interval + 2) + 10)
        return answered(done.stdout)

    def counters(self, namespace, device):
        """(bytes, packets) that a device took out of the kernel, and that it put in."""
        def read(name):
            path = f"/sys/class/net/{device}/statistics/{name}"
            return int(self.run(namespace, "cat", path).stdout)
        return ((read("tx_bytes"), read("tx_packets")), (read("rx_bytes"), read("rx_packets")))


def answered(ping_output):
    """The answers that `ping -q` counted."""
    for line in ping_output.splitlines():
        if "packets transmitted" in line:
            return int(line.split(",")[1].split()[0])
    raise AssertionError(f"not the output of ping: {ping_output!r}")
