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

from lab import Network, require, tail

HERE = pathlib.Path(__file__).resolve().parent / "guest"
ADDRESS = "198.51.100.2"


def run_guest(test, network, script, seconds=90, layer=""):
    """Runs a Bash script as root in a guest; its output. Fails unless its status is 0."""
    require("linux.uml", "busybox", "ip")
    out = test.folder / "guest"
    out.mkdir()
    (out / "script").write_text(script)
    (out / "output").touch()
    test.keep_tail(out / "output")
    test.keep_tail(out / "missing")
    inside = ("ip", "netns", "exec", network.client)
    for command in (("ip", "tuntap", "add", "tap0", "mode", "tap"),
                    ("ip", "address", "add", "198.51.100.1/24", "dev", "tap0"),
                    ("ip", "link", "set", "tap0", "up"),
                    ("sysctl", "-qw", "net.ipv4.ip_forward=1")):
        test.run_command(*inside, *command)
    network.run(network.gateway, "ip", "route", "add", "198.51.100.0/24",
                "via", Network.CLIENT_ADDRESS)
    guest = test.start(
        "guest", *inside, "linux.uml",
        "vec0:transport=tap,ifname=tap0,depth=128,mac=02:00:00:00:00:02", "mem=512M",
        "rootfstype=hostfs", "rootflags=/", "ro", f"init={HERE}/init.sh", "con=null",
        "con0=null,fd:1", "ssl=null", "quiet", f"uml_dir={out}/uml", "umid=guest",
        f"bed_here={HERE}", f"bed_out={out}", f"bed_layer={layer}", f"bed_seconds={seconds}",
        # Its memory is a file, which must be executable.
        environment={"TMPDIR": "/dev/shm"})
    guest.wait(seconds + 30)
    status = out / "status"
    test.assertTrue(status.exists(), f"the guest did not get to its end:\n{tail(guest.stdout)}")
    output = (out / "output").read_text()
    test.assertEqual(status.read_text().strip(), "0", output)
    return output
