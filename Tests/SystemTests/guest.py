"""A client with a kernel of its own: user-mode Linux, whose ESP is the kernel's (XFRM).

The host's kernel may have no ESP; this one has. It sees the host's files, read-only, and reaches
the lab's gateway through the lab's client namespace, which forwards.

     user-mode Linux                client namespace               gateway namespace
    ┌───────────────┐   tap0   ┌───────────────────────┐  cable  ┌───────────────────┐
    │ 198.51.100.2 ─┼──────────┼─ 198.51.100.1         │         │ 10.99.0.1 (LAN)   │
    │ (vec0)        │          │            192.0.2.2 ─┼─────────┼─ 192.0.2.1        │
    └───────────────┘          └───────────────────────┘         └───────────────────┘
"""

import pathlib
import shlex

from lab import ROOT, Network, require, tail, wait_for

HERE = pathlib.Path(__file__).resolve().parent / "guest"
ADDRESS = "198.51.100.2"


def unpacked(package):
    """Where `.ci/unpack` has put a package that can't be installed."""
    folder = ROOT / ".build" / "unpacked" / package
    if not folder.exists():
        raise AssertionError(f"not there: {folder}; run: .ci/unpack {package}")
    return folder


def run_guest(test, network, script, variables=None, layer="", while_up=None, seconds=150):
    """Runs `guest/SCRIPT` by Bash, as root in a guest whose root has the folder `layer` over it;
    what it printed. Fails unless its status is 0.

    Each of `variables` is one of Bash. When the script says that its tunnel is up, by its virtual
    address in /out/up, `while_up` is called with that; the script goes on afterwards.
    """
    require("linux.uml", "busybox", "ip")
    out = test.folder / "guest"
    out.mkdir()
    (out / "script").write_text("".join(
        f"{name}={shlex.quote(value)}\n" for name, value in (variables or {}).items())
        + f". {HERE / script}\n")
    for name in ("output", "client.log", "missing"):
        (out / name).touch()
        test.keep_tail(out / name)
    connect_guest(test, network)
    guest = test.start(
        "guest", "ip", "netns", "exec", network.client, "linux.uml",
        "vec0:transport=tap,ifname=tap0,depth=128,mac=02:00:00:00:00:02", "mem=512M",
        "rootfstype=hostfs", "rootflags=/", "ro", f"init={HERE}/init.sh", "con=null",
        "con0=null,fd:1", "ssl=null", "quiet", f"uml_dir={out}/uml", "umid=guest",
        f"bed_here={HERE}", f"bed_out={out}", f"bed_layer={layer}", f"bed_seconds={seconds}",
        # Its memory is a file, which must be executable.
        environment={"TMPDIR": "/dev/shm"})
    if while_up:
        up = out / "up"
        wait_for("the guest's tunnel", lambda: up.exists() or not guest.running, seconds)
        if up.exists():
            while_up(up.read_text().strip())
            (out / "go").touch()
    guest.wait(seconds + 30)
    status = out / "status"
    test.assertTrue(status.exists(), f"the guest did not get to its end:\n{tail(guest.stdout)}")
    output = (out / "output").read_text()
    test.assertEqual(status.read_text().strip(), "0", output)
    return output


def connect_guest(test, network):
    """The guest's cable, in the client's namespace, which forwards."""
    inside = ("ip", "netns", "exec", network.client)
    for command in (("ip", "tuntap", "add", "tap0", "mode", "tap"),
                    ("ip", "address", "add", "198.51.100.1/24", "dev", "tap0"),
                    ("ip", "link", "set", "tap0", "up"),
                    ("sysctl", "-qw", "net.ipv4.ip_forward=1")):
        test.run_command(*inside, *command)
    network.run(network.gateway, "ip", "route", "add", "198.51.100.0/24",
                "via", Network.CLIENT_ADDRESS)
