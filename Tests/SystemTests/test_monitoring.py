"""docs/monitoring.md leads from nothing to an alert, and the dashboards' queries have answers."""

import json
import pathlib
import re
import secrets
import shutil
import subprocess
import urllib.parse

from lab import ROOT, LabTestCase, require, wait_for
from weir import Weir, binary, configuration, http, write_secret

GUIDE = ROOT / "docs" / "monitoring.md"
PROMETHEUS, ALERTMANAGER = "http://127.0.0.1:9090", "http://127.0.0.1:9093"


def commands():
    """The shell blocks of the ten minutes, without what apt-get would do."""
    section = GUIDE.read_text().split("## Ten minutes to a page")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [block for block in blocks if not block.startswith("apt-get")]


class MonitoringTests(LabTestCase):
    """In a network namespace of its own, where all the guide's ports are free."""

    def setUp(self):
        super().setUp()
        require("prometheus", "prometheus-alertmanager", "promtool", "amtool", "ip")
        self.namespace = f"weir-m-{secrets.token_hex(3)}"
        self.run_command("ip", "netns", "add", self.namespace)
        self.addCleanup(subprocess.run, ["ip", "netns", "del", self.namespace], check=False)
        self.run_command("ip", "-n", self.namespace, "link", "set", "lo", "up")
        self.prefix = ("ip", "netns", "exec", self.namespace)
        settings = configuration(self.folder)
        settings["telemetry"]["metrics"]["port"] = 9443
        settings["gateway"] |= {"port": 500, "nat_port": 4500}
        # Nobody is there, which the dashboards show.
        settings["radius"] = {"servers": [{
            "name": "radius1", "address": "127.0.0.1", "secret": {"file": str(
                self.folder / "staff.psk")}}]}
        self.weir = Weir(self, settings, self.namespace)
        self.work = self.folder / "work"
        self.work.mkdir()
        shutil.copytree(ROOT / "dashboards", self.work / "dashboards")

    def shell(self, text):
        """What bash prints in the guide's folder; fails if a command does."""
        with open(self.folder / "shell.log", "a") as log:
            done = subprocess.run(
                [*self.prefix, "bash", "-eu", "-o", "pipefail", "-c", text], cwd=self.work,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                timeout=60)
        self.assertEqual(done.returncode, 0, f"{text}\n{(self.folder / 'shell.log').read_text()}")
        return done.stdout

    def api(self, url):
        """The data of an answer; None if there is none yet."""
        try:
            status, _, body = http(self, self.namespace, url)
        except OSError:
            return None
        return json.loads(body) if status == 200 else None

    def query(self, text):
        answer = self.api(f"{PROMETHEUS}/api/v1/query?query={urllib.parse.quote(text)}")
        return answer["data"]["result"] if answer else None

    def hasten(self):
        """The guide's waits are for production."""
        rules = self.work / "monitoring" / "weir.rules.yml"
        rules.write_text(rules.read_text().replace("for: 2m", "for: 3s"))
        for name, old, new in (("prometheus.yml", "15s", "1s"), ("alertmanager.yml", "10s", "1s")):
            file = self.work / "monitoring" / name
            file.write_text(file.read_text().replace(old, new))

    def start_services(self, block):
        """The guide's background commands, as daemons that end with the test."""
        for line in block.strip().splitlines():
            self.assertTrue(line.endswith(" &"), line)
            words = line.removesuffix(" &").split()
            self.start(words[0], *self.prefix, "env", "-C", str(self.work), *words)

    def test_from_nothing_to_an_alert(self):
        look, write, services, ask = commands()
        self.assertIn("ike_sessions 0", self.shell(look))
        self.shell(write)
        self.hasten()
        self.start_services(services)
        wait_for("a scrape", lambda: self.query('up{job="weir"} == 1'), 90, every=0.5)
        wait_for("Alertmanager", lambda: self.api(f"{ALERTMANAGER}/api/v2/status"), 90, every=0.5)
        self.users_come()
        self.dashboards_have_answers()
        self.weir.stop()
        text = wait_for("the alert", lambda: (
            (found := self.shell(ask)) and "WeirGatewayDown" in found and found), 90, every=1)
        self.assertIn("WeirGatewayDown", text)
        (alert,) = self.api(f"{ALERTMANAGER}/api/v2/alerts?filter=alertname=WeirGatewayDown")
        runbook = alert["annotations"]["runbook_url"].removeprefix(f"file://{self.work}/")
        self.assertTrue((ROOT / runbook).exists(), runbook)
        groups = self.api(f"{ALERTMANAGER}/api/v2/alerts/groups")
        self.assertIn({"alertname": "WeirGatewayDown"}, [group["labels"] for group in groups])

    def users_come(self):
        """Logins that succeed and that fail, until Prometheus has seen them."""
        wrong = self.folder / "wrong.psk"
        write_secret(wrong, "not the PSK")
        for name, secret in (("right", self.folder / "staff.psk"), ("wrong", wrong)):
            self.start(
                f"load-{name}", *self.prefix, binary(), "load", "--to", "127.0.0.1:500",
                "--nat-port", "4500", "--domain", "example.org", "--psk-file", secret,
                "--sessions", "5", "--hold", "--duration", "10m")
        for what, text in (
                ("logins", "ike_sessions == 5"),
                ("failed logins", 'ike_auth_failures_total{reason="wrong_credential"} >= 5'),
                ("rates", "rate(ike_sessions_established_total[1m]) > 0")):
            wait_for(what, lambda: self.query(text), 60, every=0.5)

    def dashboards_have_answers(self):
        """Prometheus takes every query of every panel, and nearly all have an answer."""
        asked, silent = 0, []
        queries = set()
        for file in sorted((ROOT / "dashboards" / "grafana").glob("*.json")):
            for panel in json.loads(file.read_text())["panels"]:
                queries |= {target["expr"] for target in panel.get("targets", [])}
        for text in sorted(queries):
            for name, value in (("$__rate_interval", "1m"), ("$job", "weir"), ("$instance", ".+")):
                text = text.replace(name, value)
            result = self.query(text)
            self.assertIsNotNone(result, text)
            asked += 1
            if not result:
                silent.append(text)
        self.assertGreater(asked, 100)
        # Those without one compare with last week, or tell of users and trends that are not there.
        self.assertLess(len(silent), asked * 0.1, "\n".join(silent))

    def test_rules_pass_their_own_tests(self):
        line = re.search(r"`(promtool test rules [^`]+)`", GUIDE.read_text()).group(1)
        self.shell(line)


class RunbookCommands(LabTestCase):
    def test_every_weir_command_exists(self):
        """What runbooks tell people to type is understood."""
        pages = "".join(
            path.read_text() for path in pathlib.Path(ROOT / "docs" / "runbooks").glob("*.md"))
        words = set(re.findall(r"`weir ([a-z]+)(?: ([a-z-]+))?", pages))
        self.assertGreater(len(words), 6)
        questions = {path.stem for path in (ROOT / "queries").glob("*.sql")}
        for command, argument in words:
            self.run_command(binary(), command, "--help")
            if command == "query" and argument != "--sql":
                self.assertIn(argument, questions)
            if command == "report":
                self.run_command(binary(), "report", argument, "--help")
        statements = re.findall(r'`weir query --sql "([^"`]+)"`', pages)
        self.assertEqual(len(statements), pages.count("weir query --sql"))
        empty, store = self.folder / "empty.ndjson", self.folder / "empty.db"
        empty.touch()
        self.run_command(binary(), "import", empty, "--format", "ndjson", "--store", store)
        for statement in statements:
            self.run_command(binary(), "query", "--sql", statement, "--store", store)
