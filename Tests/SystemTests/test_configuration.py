"""A wrong configuration: one line with file, line and remedy on stderr, and exit status 2."""

import os
import socket

from lab import LabTestCase, ROOT, free_port
from weir import binary, write_secret

CONFIGURATION = """\
gateway:
  name: gw.lab
  listen: [127.0.0.1]
  port: {port}
  nat_port: {nat_port}
  dataplane: memory
  control: {folder}/control.sock
pools:
  - name: staff
    addresses: 10.88.0.0/24
connections:
  - name: staff
    local_id: gw.lab
    remote_ids: ["*"]
    secret: {{file: {folder}/staff.psk}}
    pool: staff
telemetry:
  store: {folder}/weir.db
  metrics: {{listen: 127.0.0.1, port: {metrics_port}}}
"""


class ConfigurationTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.secret = self.folder / "staff.psk"
        write_secret(self.secret, "lab-psk-0123456789abcdef")
        self.ports = {
            "port": free_port(socket.SOCK_DGRAM), "nat_port": free_port(socket.SOCK_DGRAM),
            "metrics_port": free_port()}
        self.file = self.folder / "weir.yaml"
        self.text = CONFIGURATION.format(folder=self.folder, **self.ports)
        self.file.write_text(self.text)

    def refused(self, command, file, start, *words):
        """`weir COMMAND -c FILE` prints one line that begins with `start` and has `words`."""
        done = self.run_command(binary(), command, "-c", file, status=2, seconds=30)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith(start), f"{lines[0]!r} should begin {start!r}")
        for word in words:
            self.assertIn(word, lines[0])
        self.assertEqual(done.stdout, "")

    def change(self, before, after):
        """Writes the configuration with one line changed; the changed line's number."""
        self.assertEqual(self.text.count(before), 1, before)
        self.file.write_text(self.text.replace(before, after))
        return self.text[:self.text.index(before)].count("\n") + 1

    def test_a_good_one_is_accepted(self):
        done = self.run_command(binary(), "check", "-c", self.file)
        self.assertEqual(done.stderr, "")

    def test_the_installed_example_is_accepted(self):
        # Its secret is a systemd credential.
        credentials = self.folder / "credentials"
        credentials.mkdir()
        write_secret(credentials / "staff.psk", "lab-psk-0123456789abcdef")
        self.run_command(
            binary(), "check", "-c", ROOT / "docs/install/weir.yaml",
            environment={"CREDENTIALS_DIRECTORY": str(credentials)})

    def test_missing_file(self):
        for command in ("check", "run"):
            missing = self.folder / "nowhere.yaml"
            self.refused(command, missing, f"{missing}:", "No such file")

    def test_not_yaml(self):
        line = self.change("gateway:", "gateway: [")
        for command in ("check", "run"):
            done = self.run_command(binary(), command, "-c", self.file, status=2)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertRegex(done.stderr, rf"^{self.file}:\d+: ")
        self.assertEqual(line, 1)

    def test_unknown_key(self):
        line = self.change("listen: [127.0.0.1]", "listn: [127.0.0.1]")
        for command in ("check", "run"):
            self.refused(
                command, self.file, f"{self.file}:{line}: gateway.listn: ", "unknown key",
                'did you mean "listen"?')

    def test_wrong_type(self):
        line = self.change(f"nat_port: {self.ports['nat_port']}", "nat_port: high")
        for command in ("check", "run"):
            self.refused(command, self.file, f"{self.file}:{line}: gateway.nat_port: ")

    def test_secret_is_not_there(self):
        self.secret.unlink()
        line = self.change("    secret:", "    secret:")
        self.refused(
            "run", self.file, f"{self.file}:{line}: ", str(self.secret), "No such file")

    def test_secret_is_readable_by_others(self):
        os.chmod(self.secret, 0o644)
        line = self.change("    secret:", "    secret:")
        self.refused("run", self.file, f"{self.file}:{line}: ", str(self.secret), "chmod")

    def test_secret_inline(self):
        line = self.change(
            f"    secret: {{file: {self.folder}/staff.psk}}", "    secret: sesame-sesame")
        self.refused("check", self.file, f"{self.file}:{line}: connections", "file")
        done = self.run_command(binary(), "check", "-c", self.file, status=2)
        self.assertNotIn("sesame", done.stderr)

    def test_udp_port_in_use(self):
        for key in ("port", "nat_port"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
                holder.bind(("127.0.0.1", self.ports[key]))
                line = self.change(f"  {key}: {self.ports[key]}", f"  {key}: {self.ports[key]}")
                self.refused(
                    "run", self.file, f"{self.file}:{line}: ", str(self.ports[key]), "in use")

    def test_metrics_port_in_use(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", self.ports["metrics_port"]))
            holder.listen()
            line = self.change("  metrics:", "  metrics:")
            self.refused("run", self.file, f"{self.file}:{line}: ",
                         str(self.ports["metrics_port"]), "in use")

    def test_store_folder_is_missing(self):
        line = self.change(f"store: {self.folder}/weir.db", f"store: {self.folder}/no/weir.db")
        self.refused("run", self.file, f"{self.file}:{line}: ", f"{self.folder}/no")

    def test_wrong_use(self):
        for words in (["no-such-command"], ["run"], ["check", "-c"], ["report", "nonsense"]):
            with self.subTest(words=words):
                done = self.run_command(binary(), *words, status=2)
                self.assertNotEqual(done.stderr, "")
