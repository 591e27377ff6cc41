"""Prometheus with the rules that are shipped, and Alertmanager, in a gateway's network namespace."""

import json
import pathlib
import re
import urllib.parse

from lab import ROOT, require, wait_for
from weir import http

RULES = ROOT / "dashboards" / "prometheus" / "weir.rules.yml"


class Server:
    """What both have in common."""

    def __init__(self, test, namespace, url):
        self.test, self.namespace, self.url = test, namespace, url

    def launch(self, program, *words):
        name = pathlib.Path(program).name
        self.test.start(
            name, "ip", "netns", "exec", self.namespace, program,
            f"--web.listen-address={self.url.removeprefix('http://')}", *words)
        wait_for(f"{name} to be ready", self.is_ready, 30)

    def is_ready(self):
        try:
            return http(self.test, self.namespace, f"{self.url}/-/ready")[0] == 200
        except OSError:
            return False

    def api(self, path):
        status, _, body = http(self.test, self.namespace, self.url + path)
        self.test.assertEqual(status, 200, body)
        return json.loads(body)


class Alertmanager(Server):
    URL = "http://127.0.0.1:9093"

    def __init__(self, test, namespace):
        super().__init__(test, namespace, self.URL)
        (program,) = require("prometheus-alertmanager")
        file = test.folder / "alertmanager.yml"
        file.write_text(
            "route: {receiver: nobody, group_by: [alertname]}\nreceivers: [{name: nobody}]\n")
        self.launch(
            program, f"--config.file={file}", f"--storage.path={test.folder}/alertmanager",
            "--cluster.listen-address=")

    def alerts(self):
        return self.api("/api/v2/alerts")

    def groups(self):
        """The labels of each alert, by the name that its group has."""
        return {group["labels"]["alertname"]: [alert["labels"] for alert in group["alerts"]]
                for group in self.api("/api/v2/alerts/groups")}


class Prometheus(Server):
    """It scrapes and judges each second."""

    URL = "http://127.0.0.1:9090"

    def __init__(self, test, namespace, port, alertmanager=None):
        """With an Alertmanager, alerts come after seconds where production waits minutes."""
        super().__init__(test, namespace, self.URL)
        (program,) = require("prometheus")
        rules, file = RULES, test.folder / "prometheus.yml"
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "scrape_configs": [{
                "job_name": "weir", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
        }
        if alertmanager:
            rules = test.folder / "weir.rules.yml"
            rules.write_text(re.sub(r"for: \d+[mh]", "for: 2s", RULES.read_text()))
            target = alertmanager.url.removeprefix("http://")
            settings["alerting"] = {
                "alertmanagers": [{"static_configs": [{"targets": [target]}]}]}
        file.write_text(json.dumps(settings | {"rule_files": [str(rules)]}))
        self.launch(
            program, f"--config.file={file}", f"--storage.tsdb.path={test.folder}/prometheus")
        # It looks for its targets 5 s later.
        wait_for("the first scrape", lambda: self.results("up == 1"), 30, every=0.5)

    def results(self, expression):
        query = urllib.parse.urlencode({"query": expression})
        return self.api(f"/api/v1/query?{query}")["data"]["result"]

    def ask(self, expression):
        """The value of an expression that has one."""
        found = self.results(expression)
        self.test.assertEqual(len(found), 1, f"{expression}: {found}")
        return float(found[0]["value"][1])

    def history(self, selector):
        """The values of each series, in the order of time."""
        return {json.dumps(series["metric"], sort_keys=True):
                [float(value) for _, value in series["values"]]
                for series in self.results(selector)}

    def firing(self):
        """The names of the alerts that fire."""
        return {alert["metric"]["alertname"]
                for alert in self.results('ALERTS{alertstate="firing"}')}
