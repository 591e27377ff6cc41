"""`make install` puts everything in place, and what it installed works."""

import re
import shutil

from lab import LabTestCase, ROOT, require
from weir import binary


class InstallTests(LabTestCase):
    def install(self, *words):
        """Installs the binary under test, not a release build: that takes minutes."""
        self.root = self.folder / "root"
        done = self.run_command(
            "make", "-C", ROOT, "install", f"BINARY={binary()}", f"DESTDIR={self.root}",
            "PREFIX=/usr", *words, seconds=120)
        return done.stdout

    def test_everything_is_in_place(self):
        self.install()
        for path in (
                "usr/bin/weir", "usr/share/man/man1/weir.1", "etc/weir/weir.yaml",
                "usr/share/doc/weir/weir.yaml", "usr/share/doc/weir/LICENSE",
                "usr/share/bash-completion/completions/weir",
                "usr/share/zsh/site-functions/_weir",
                "usr/share/fish/vendor_completions.d/weir.fish",
                "usr/lib/systemd/system/weir.service"):
            with self.subTest(path=path):
                self.assertGreater((self.root / path).stat().st_size, 0)
        shared = self.root / "usr/share/weir"
        for folder in ("queries", "dashboards"):
            wanted = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*")
                      if path.is_file()}
            self.assertNotEqual(wanted, set(), folder)
            found = {path.relative_to(shared) for path in (shared / folder).rglob("*")
                     if path.is_file()}
            self.assertLessEqual(
                {path for path in wanted if folder == "dashboards" or path.suffix == ".sql"},
                found)

    def test_alerts_link_to_runbooks_that_are_there(self):
        def links():
            rules = self.root / "usr/share/weir/dashboards/prometheus/weir.rules.yml"
            return re.findall(r"runbook_url: (\S+)", rules.read_text())
        self.install()
        self.assertGreater(len(links()), 15)
        for link in links():
            self.assertTrue(link.startswith("file:///usr/"), link)
            self.assertTrue((self.root / link.removeprefix("file:///")).exists(), link)
        self.install("DOCS_URL=https://wiki.lab/weir")
        for link in links():
            self.assertRegex(link, r"^https://wiki\.lab/weir/runbooks/Weir\w+\.md$")
        rules = self.root / "usr/share/weir/dashboards/prometheus/weir.rules.test.yml"
        self.run_command("promtool", "test", "rules", rules)

    def test_the_binary_works_from_where_it_is(self):
        self.install()
        installed = self.root / "usr/bin/weir"
        version = self.run_command(installed, "--version").stdout
        self.assertRegex(version, r"^\d+\.\d+\.\d+")
        listed = self.run_command(installed, "query", "--list").stdout
        self.assertIn("who-held-address", listed)
        completion = (self.root / "usr/share/bash-completion/completions/weir").read_text()
        for command in ("run", "demo", "sessions", "report", "query"):
            self.assertIn(command, completion)

    def test_a_configuration_is_never_overwritten(self):
        self.install()
        config = self.root / "etc/weir/weir.yaml"
        config.write_text("# mine\n")
        self.assertIn("kept", self.install())
        self.assertEqual(config.read_text(), "# mine\n")

    def test_the_unit_is_one_that_systemd_understands(self):
        (systemd_analyze,) = require("systemd-analyze")
        self.install()
        unit = self.root / "usr/lib/systemd/system/weir.service"
        text = unit.read_text()
        self.assertIn("ExecStart=/usr/bin/weir run -c /etc/weir/weir.yaml", text)
        # systemd wants the programs that a unit names to be there.
        verified = self.folder / "weir.service"
        verified.write_text(text.replace("/usr/bin/weir", shutil.which("true")))
        manual = {"MANPATH": f"{self.root}/usr/share/man:"}
        done = self.run_command(systemd_analyze, "verify", verified, environment=manual)
        # It also reads the units that other packages brought, and says what it thinks of those.
        self.assertEqual(
            [line for line in done.stderr.splitlines()
             if not line.startswith(("/lib/systemd/system/", "/usr/lib/systemd/system/"))], [])
        done = self.run_command(
            systemd_analyze, "security", "--offline=yes", "--threshold=25", "--no-pager",
            verified)
        self.assertIn("Overall exposure level", done.stdout)

    def test_the_man_page_is_well_formed(self):
        (man,) = require("man")
        self.install()
        page = self.root / "usr/share/man/man1/weir.1"
        done = self.run_command(
            man, "--warnings", "-l", page, environment={"MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.stderr, "")
        self.assertIn("who-held-address", done.stdout)
