"""strongSwan's charon with user-space ESP, as a client and, to prove the lab, as a gateway."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from lab import Network, require, wait_for

CHARON = "/usr/lib/ipsec/charon"
SWANCTL = "/usr/sbin/swanctl"
PLUGINS = "/usr/lib/ipsec/plugins/libstrongswan-"

STRONGSWAN_CONF = """
charon {
  load_modular = no
  load = random nonce openssl curve25519 kdf aes ctr ccm chapoly kernel-libipsec kernel-netlink socket-default vici
  install_routes = yes
  install_virtual_ip = yes
  threads = 16
  %(settings)s
  retransmit_tries = 2
  retransmit_timeout = 2.0
  plugins { vici { socket = unix://%(folder)s/run/charon.vici } }
  filelog { log { path = %(folder)s/charon.log
      default = 1
      ike = 2
      time_format = %%F %%T
      flush_line = yes } }
}
swanctl { load = openssl random }
"""


def client_configuration(accounts, remote_id="gw.lab", proposal="aes128gcm16-prfsha256-x25519",
                         local=Network.CLIENT_ADDRESS, remote=Network.GATEWAY_ADDRESS,
                         vips="0.0.0.0", remote_ts="10.99.0.0/24", suites=None):
    """swanctl.conf of a client. `accounts` maps a connection's name to (identity, PSK), `suites`
    to (IKE proposal, ESP proposal) where they are others than usual."""
    connections, keys = "", ""
    for name, (identity, psk) in accounts.items():
        ike, esp = (suites or {}).get(name, (proposal, "aes128gcm16"))
        connections += f"""
  {name} {{
    version = 2
    local_addrs = {local}
    remote_addrs = {remote}
    proposals = {ike}
    vips = {vips}
    local {{ auth = psk
      id = {identity} }}
    remote {{ auth = psk
      id = {remote_id} }}
    children {{ {name}-net {{ remote_ts = {remote_ts}
        esp_proposals = {esp} }} }}
  }}"""
        keys += f'\n  ike-{name} {{ id-1 = {identity}\n    secret = "{psk}" }}'
    return f"connections {{{connections}\n}}\nsecrets {{{keys}\n}}\n"


def gateway_configuration(identity, psk, local_id="gw.lab"):
    """swanctl.conf of a gateway for one user."""
    return f"""
connections {{
  staff {{
    version = 2
    local_addrs = {Network.GATEWAY_ADDRESS}
    proposals = aes128gcm16-prfsha256-x25519
    pools = staff
    local {{ auth = psk
      id = {local_id} }}
    remote {{ auth = psk
      id = {identity} }}
    children {{ net {{ local_ts = 10.99.0.0/24
        esp_proposals = aes128gcm16 }} }}
  }}
}}
pools {{ staff {{ addrs = 10.88.0.0/24
    dns = 10.99.0.1 }} }}
secrets {{
  ike-1 {{ id-1 = {identity}
    secret = "{psk}" }}
}}
"""


class Charon:
    """A charon in a network namespace, with a /run of its own."""

    def __init__(self, test, name, namespace, configuration, settings="", hosts=""):
        """`settings` are lines for the `charon` section of strongswan.conf, `hosts` are all that
        it knows by name."""
        require(CHARON, SWANCTL, *(
            f"{PLUGINS}{plugin}.so" for plugin in ("openssl", "curve25519", "kernel-libipsec")))
        self.test, self.name, self.namespace = test, name, namespace
        self.folder = test.folder / name
        (self.folder / "run").mkdir(parents=True)
        (self.folder / "swanctl").mkdir()
        (self.folder / "strongswan.conf").write_text(STRONGSWAN_CONF % {
            "folder": self.folder, "settings": settings})
        (self.folder / "swanctl" / "swanctl.conf").write_text(configuration)
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}\n")
        # Debian's AppArmor profiles go by path and confine charon to /etc; a copy is free.
        self.charon = shutil.copy2(CHARON, self.folder / "charon")
        self.swanctl_path = shutil.copy2(SWANCTL, self.folder / "swanctl-command")
        self.environment = {
            "STRONGSWAN_CONF": f"{self.folder}/strongswan.conf",
            "SWANCTL_DIR": f"{self.folder}/swanctl",
        }
        test.keep_tail(self.folder / "charon.log")
        self.daemon = test.start(
            f"{name}-charon", "ip", "netns", "exec", namespace, "unshare", "-m", "sh", "-c",
            f"mount --make-rprivate / && mount --bind {self.folder}/run /run"
            f" && mount --bind {self.folder}/hosts /etc/hosts && exec {self.charon}", environment=self.environment)
        socket = self.folder / "run" / "charon.vici"
        wait_for(f"{name}'s VICI socket", lambda: self.daemon.check() or socket.exists())
        wait_for(f"{name} to load its configuration",
                 lambda: self.swanctl("--load-all", status=None).returncode == 0)

    def swanctl(self, *words, status=0, seconds=60):
        return self.test.run_command(
            self.swanctl_path, *words, "--uri", f"unix://{self.folder}/run/charon.vici",
            status=status, seconds=seconds, environment=self.environment)

    def connect(self, name):
        """Logs in. Fails if that fails."""
        self.swanctl("--initiate", "--child", f"{name}-net", "--timeout", "20")

    def fail_to_connect(self, name):
        """Tries to log in; fails if that succeeds. What swanctl printed."""
        done = self.swanctl(
            "--initiate", "--child", f"{name}-net", "--timeout", "20", status=None)
        self.test.assertNotEqual(done.returncode, 0, f"{name} should not have been let in")
        return done.stdout + done.stderr

    def disconnect(self, name):
        self.swanctl("--terminate", "--ike", name, "--timeout", "20")

    def forget(self, name):
        """Drops a connection whose gateway has forgotten it."""
        # It says goodbye, gets no answer, and calls that a failure.
        self.swanctl("--terminate", "--ike", name, "--force", "--timeout", "1", status=None)
        wait_for(f"{name} to be forgotten", lambda: all(
            sa["remote-host"] != Network.GATEWAY_ADDRESS for sa in self.ike_sas().values()))

    def rekey_child(self, name):
        """Replaces the Child SA and waits until its successor is in place."""
        self._replace(self.children, "--rekey", "--child", f"{name}-net")

    def rekey_ike(self, name):
        """Replaces the IKE SA and waits until its successor is in place."""
        self._replace(self.ike_sas, "--rekey", "--ike", name)

    def _replace(self, read, *words):
        def working():
            return {number for number, sa in read().items()
                    if sa["state"] in ("ESTABLISHED", "INSTALLED")}
        before = working()
        self.swanctl(*words)
        wait_for(f"the end of swanctl {' '.join(words)}",
                 lambda: (now := working()) and not now & before)

    def ike_sas(self):
        """IKE SAs by unique number."""
        output = self.swanctl("--list-sas", "--raw").stdout
        return {sa["uniqueid"]: sa for _, sa in list_sas(output)}

    def children(self):
        """Child SAs by unique number."""
        return {child["uniqueid"]: child
                for sa in self.ike_sas().values() for child in sa["child-sas"].values()}

    def traffic(self):
        """(bytes in, packets in, bytes out, packets out) of all Child SAs there are now."""
        names = ("bytes-in", "packets-in", "bytes-out", "packets-out")
        children = self.children().values()
        return tuple(sum(int(child[name]) for child in children) for name in names)

    def settled_traffic(self):
        """`traffic()`, once it has stopped to change."""
        last = None

        def unchanged():
            nonlocal last
            previous, last = last, self.traffic()
            return previous == last
        wait_for("the client's counters to settle", unchanged, every=0.2)
        return last

    def virtual_address(self, name):
        """The address that the gateway lent us."""
        output = self.swanctl("--list-sas", "--raw").stdout
        for connection, sa in list_sas(output):
            if connection == name and sa["state"] == "ESTABLISHED":
                return sa["local-vips"][0]
        raise AssertionError(f"{name} is not established: {output}")

    def device_traffic(self):
        """(bytes in, packets in, bytes out, packets out) of charon's TUN device: the kernel's own
        count of what went through every Child SA since the start."""
        out, into = Network.counters(self.test.network, self.namespace, "ipsec0")
        return (*into, *out)

    def wait_for_packets(self, count):
        """Waits until that many more packets have come in through the tunnel."""
        before = self.device_traffic()[1]
        wait_for(f"{count} more packets through the tunnel",
                 lambda: self.device_traffic()[1] >= before + count)


TOKEN = re.compile(r"\s*([{}]|[^\s={}]+=\[[^\]]*\]|[^\s={}]+=[^\s{}]*|[^\s={}]+)")


def list_sas(raw):
    """(connection, IKE SA) pairs in the output of `swanctl --list-sas --raw`.

    A section is a dictionary, a list is a list of strings, all else is a string.
    """
    pairs = []
    for line in raw.splitlines():
        if line.startswith("list-sa event "):
            pairs.extend(_section(TOKEN.findall(line[len("list-sa event "):])).items())
    return pairs


def _section(tokens):
    stack, name = [{}], None
    for token in tokens:
        if token == "{":
            stack.append({})
            if name is not None:
                stack[-2][name] = stack[-1]
            name = None
        elif token == "}":
            closed = stack.pop()
            if len(stack) == 1:
                return closed
        elif "=" in token:
            key, value = token.split("=", 1)
            stack[-1][key] = value[1:-1].split() if value.startswith("[") else value
        else:
            name = token
    raise AssertionError(f"unfinished answer of swanctl: {tokens}")


class CharonGateway:
    """The other end of the lab, by strongSwan: it shows that lab and client tell the truth."""

    def __init__(self, test, network, identity, psk):
        self.charon = Charon(
            test, "gateway", network.gateway, gateway_configuration(identity, psk))

    def traffic(self):
        """(bytes in, packets in, bytes out, packets out) of all that there was."""
        return self.charon.device_traffic()


PINGER = pathlib.Path(__file__).with_name("pinger.py")


@contextlib.contextmanager
def pinging(network, namespace, source, target, interval=0.05):
    """Pings all the while; yields a list that holds (sent, answered) afterwards."""
    result = []
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespace, sys.executable, PINGER, source, target, str(interval)],
        stdout=subprocess.PIPE, text=True)
    try:
        yield result
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=10)
        match = re.search(r"(\d+) packets transmitted, (\d+) received", output)
        result.extend(int(number) for number in match.groups() if match)
