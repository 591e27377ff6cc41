"""A capture of what was on the wire, read by tshark with the keys that a debug build exported."""

import signal

from lab import require, wait_for

IKE_CIPHER = "AES-GCM-128 with 16 octet ICV [RFC5282]"
ESP_CIPHER = "AES-GCM with 16 octet ICV [RFC4106]"


class Capture:
    """Records a device of a namespace from now until `stop`."""

    def __init__(self, test, namespace, device="cable"):
        require("dumpcap", "tshark")
        self.test = test
        self.file = test.folder / "wire.pcapng"
        self.daemon = test.start(
            "dumpcap", "ip", "netns", "exec", namespace, "dumpcap", "-q", "-i", device,
            "-f", "udp", "-w", self.file)
        wait_for("dumpcap to begin", lambda: self.daemon.check() or (
            "File:" in self.daemon.stderr.read_text()))

    def stop(self):
        self.daemon.signal(signal.SIGINT)
        self.daemon.wait()

    def fields(self, condition, *names, options=()):
        """The values of fields, a list for each packet that tshark's display filter takes."""
        words = [word for name in names for word in ("-e", name)]
        done = self.test.run_command(
            "tshark", "-n", "-2", "-r", self.file, "-Y", condition, "-T", "fields", *words, *options)
        return [line.split("\t") for line in done.stdout.splitlines()]


def key_options(capture, keylog, children):
    """What tells tshark every key. IKE SAs are in the log in the order in which the wire shows
    them, and Child SAs in the order of `children`: (SPI towards the gateway, SPI towards the
    client), of exchanges that the client began."""
    logged = {}
    for line in keylog.read_text().splitlines():
        name, value = line.split()
        logged.setdefault(name, []).append(value)
    sas = []
    for pair in capture.fields(
            "isakmp && isakmp.rspi != 00:00:00:00:00:00:00:00", "isakmp.ispi", "isakmp.rspi"):
        if pair not in sas:
            sas.append(pair)
    assert len(sas) == len(logged["SK_ei"]), (sas, len(logged["SK_ei"]))
    options = [
        "-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE"]
    for (initiator, responder), ours, theirs in zip(sas, logged["SK_ei"], logged["SK_er"]):
        options += [
            "-o", f"uat:ikev2_decryption_table:{initiator},{responder},{ours},{theirs},"
            f'"{IKE_CIPHER}",,,"NONE [RFC4306]"']
    pairs = zip(logged["ESP_from_initiator"], logged["ESP_from_responder"])
    for (to_gateway, to_client), (up, down) in zip(children, pairs):
        for spi, key in ((to_gateway, up), (to_client, down)):
            row = ["IPv4", "*", "*", f"0x{spi}", ESP_CIPHER, f"0x{key}", "NULL", ""]
            options += ["-o", "uat:esp_sa:" + ",".join(f'"{word}"' for word in row)]
    return options
