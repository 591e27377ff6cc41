"""A real Prometheus scrapes Weir for a minute, a real Alertmanager holds Weir's alert.

All of them run in the gateway's network namespace, where every port is free.
"""

import json
import os
import time
import urllib.parse

from charon import Charon, client_configuration
from lab import LabTestCase, Network, ROOT, require, wait_for
from weir import Weir, http

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"
#: How long Prometheus scrapes, once a second.
SCRAPE_SECONDS = int(os.environ.get("WEIR_SCRAPE_SECONDS", "60"))
PROMETHEUS, ALERTMANAGER = "http://127.0.0.1:9090", "http://127.0.0.1:9093"


class PrometheusTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.prefix = ("ip", "netns", "exec", self.network.gateway)
        self.start_alertmanager()
        self.weir = Weir.in_lab(
            self, self.network, alerts={"alertmanager": [ALERTMANAGER]})
        self.start_prometheus()
        self.client = Charon(self, "client", self.network.client, client_configuration({
            "right": (USER, PSK), "wrong": ("psk-client2.lab", "not the PSK")}))

    def start_alertmanager(self):
        (alertmanager,) = require("prometheus-alertmanager")
        file = self.folder / "alertmanager.yml"
        file.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        self.start(
            "alertmanager", *self.prefix, alertmanager, f"--config.file={file}",
            f"--storage.path={self.folder}/alertmanager", "--cluster.listen-address=",
            f"--web.listen-address={ALERTMANAGER.removeprefix('http://')}")
        wait_for("Alertmanager to be ready", lambda: self.is_ready(ALERTMANAGER), 30)

    def start_prometheus(self):
        (prometheus,) = require("prometheus")
        port = self.weir.settings["telemetry"]["metrics"]["port"]
        file = self.folder / "prometheus.yml"
        file.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ROOT / "dashboards/prometheus/weir.rules.yml")],
            "scrape_configs": [{
                "job_name": "weir", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
        }))
        self.start(
            "prometheus", *self.prefix, prometheus, f"--config.file={file}",
            f"--storage.tsdb.path={self.folder}/prometheus",
            f"--web.listen-address={PROMETHEUS.removeprefix('http://')}")
        wait_for("Prometheus to be ready", lambda: self.is_ready(PROMETHEUS), 30)
        # It looks for its targets 5 s later.
        wait_for("the first scrape", lambda: self.results("up == 1"), 30, every=0.5)

    def is_ready(self, url):
        try:
            return http(self, self.network.gateway, f"{url}/-/ready")[0] == 200
        except OSError:
            return False

    def api(self, url):
        status, _, body = http(self, self.network.gateway, url)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def results(self, expression):
        query = urllib.parse.urlencode({"query": expression})
        return self.api(f"{PROMETHEUS}/api/v1/query?{query}")["data"]["result"]

    def ask(self, expression):
        """The value of an expression that has one."""
        found = self.results(expression)
        self.assertEqual(len(found), 1, f"{expression}: {found}")
        return float(found[0]["value"][1])

    def test_a_minute_of_scrapes_and_an_alert(self):
        end = time.monotonic() + SCRAPE_SECONDS
        logins = 0
        while logins < 2 or time.monotonic() < end:
            self.client.connect("right")
            address = self.client.virtual_address("right")
            self.network.ping(self.network.client, address, Network.LAN_ADDRESS)
            self.client.disconnect("right")
            logins += 1
            if logins == 1:
                for _ in range(10):
                    self.client.fail_to_connect("wrong")
            time.sleep(2)
        window = f"[{SCRAPE_SECONDS}s]"
        self.assertEqual(self.ask(f'min_over_time(up{{job="weir"}}{window})'), 1)
        self.assertGreater(
            self.ask(f'count_over_time(up{{job="weir"}}{window})'), SCRAPE_SECONDS * 0.8)
        # A scrape comes each second; the last login may be younger.
        wait_for("Prometheus to have every login", lambda: self.ask(
            "sum(ike_sessions_established_total)") == logins)
        self.assertGreater(self.ask(f"sum(delta(ike_sessions_established_total{window}))"), 0)
        self.assertGreater(self.ask("ipsec_receive_bytes_total"), 0)
        self.assertEqual(
            self.ask('ike_auth_failures_total{reason="wrong_credential"}'), 10)
        self.assert_rules_are_healthy()
        self.assert_alert_was_delivered()

    def assert_rules_are_healthy(self):
        groups = self.api(f"{PROMETHEUS}/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertNotEqual(rules, [])
        self.assertEqual({rule["name"]: rule["health"] for rule in rules},
                         {rule["name"]: "ok" for rule in rules})

    def assert_alert_was_delivered(self):
        """Prometheus knows no Alertmanager here, so what it holds is from Weir itself."""
        alerts = wait_for(
            "the alert at Alertmanager", lambda: self.api(f"{ALERTMANAGER}/api/v2/alerts"))
        labels = [alert["labels"] for alert in alerts]
        self.assertEqual([each["alertname"] for each in labels], ["WeirAuthenticationFailures"])
        self.assertEqual(labels[0]["gateway"], "gw.lab")
        self.assertEqual(alerts[0]["status"]["state"], "active")
        self.assertNotIn(Network.CLIENT_ADDRESS, json.dumps(alerts))
