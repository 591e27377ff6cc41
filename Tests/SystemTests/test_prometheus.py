"""A real Prometheus scrapes Weir for a minute, a real Alertmanager holds Weir's alert.

All of them run in the gateway's network namespace, where every port is free.
"""

import json
import os
import time

from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from prometheus import Alertmanager, Prometheus
from weir import Weir

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"
#: How long Prometheus scrapes, once a second.
SCRAPE_SECONDS = int(os.environ.get("WEIR_SCRAPE_SECONDS", "60"))


class PrometheusTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.alertmanager = Alertmanager(self, self.network.gateway)
        self.weir = Weir.in_lab(
            self, self.network, alerts={"alertmanager": [self.alertmanager.url]})
        self.prometheus = Prometheus(
            self, self.network.gateway, self.weir.settings["telemetry"]["metrics"]["port"])
        self.ask = self.prometheus.ask
        self.client = Charon(self, "client", self.network.client, client_configuration({
            "right": (USER, PSK), "wrong": ("psk-client2.lab", "not the PSK")}))

    def test_a_minute_of_scrapes_and_an_alert(self):
        end = time.monotonic() + SCRAPE_SECONDS
        logins = 0
        while logins < 2 or time.monotonic() < end:
            self.client.connect("right")
            address = self.client.virtual_address("right")
            self.network.ping(self.network.client, address, Network.LAN_ADDRESS)
            if logins == 0:
                # More of them would be a storm, which is another alert.
                self.client.rekey_child("right")
                self.client.rekey_ike("right")
            self.client.disconnect("right")
            logins += 1
            if logins == 1:
                for _ in range(10):
                    self.client.fail_to_connect("wrong")
                self.reload()
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
        self.assert_counters_only_grow()
        self.assert_rules_are_healthy()
        self.assert_alert_was_delivered()

    def reload(self):
        """The gateway follows another configuration."""
        self.weir.settings["gateway"]["max_sessions"] = 77
        self.weir.file.write_text(json.dumps(self.weir.settings))
        self.weir.command("reload", "--control", self.weir.control)
        wait_for("Prometheus to have the limit", lambda: self.ask("ike_sessions_limit") == 77, 30)

    def assert_counters_only_grow(self):
        """Through rekeys, logouts and a reload."""
        history = self.prometheus.history(
            f'{{__name__=~".+_(total|count|sum|bucket)",job="weir"}}[{SCRAPE_SECONDS}s]')
        self.assertGreater(len(history), 100)
        for series, values in history.items():
            self.assertEqual(values, sorted(values), series)
        self.assertEqual(self.ask("sum(ipsec_child_sa_rekeys_total)"), 1)
        self.assertEqual(self.ask("sum(ike_sa_rekeys_total)"), 1)
        self.assertEqual(self.ask("weir_config_reloads_total"), 1)

    def assert_rules_are_healthy(self):
        groups = self.prometheus.api("/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertNotEqual(rules, [])
        self.assertEqual({rule["name"]: rule["health"] for rule in rules},
                         {rule["name"]: "ok" for rule in rules})

    def assert_alert_was_delivered(self):
        """Prometheus knows no Alertmanager here, so what it holds is from Weir itself."""
        alerts = wait_for(
            "the alert at Alertmanager", self.alertmanager.alerts)
        labels = [alert["labels"] for alert in alerts]
        self.assertEqual([each["alertname"] for each in labels], ["WeirAuthenticationFailures"])
        self.assertEqual(labels[0]["gateway"], "gw.lab")
        self.assertEqual(alerts[0]["status"]["state"], "active")
        self.assertNotIn(Network.CLIENT_ADDRESS, json.dumps(alerts))
