#!/usr/bin/env python3
"""Measures Weir's store, Prometheus and VictoriaMetrics with the same samples, one after the other.

    python3 Tests/StoreBench/compare.py STORE_BENCH [--slots 2000] [--hours 6] [--write FILE]

STORE_BENCH is the release build of `store-bench`. A peer that is not installed is left out. Prints
Markdown; --write puts it between the marks in FILE.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

START = 1767225600
TICKS = os.sysconf("SC_CLK_TCK")
BEGIN, END = "<!-- store bench -->", "<!-- end of store bench -->"
#: The same questions in PromQL: expression, and whether it is asked of a range.
QUESTIONS = {
    "total_rate": ('sum(rate(ipsec_child_sa_bytes_total{direction="in"}[5m]))', 60),
    "top_10_users": ("topk(10,sum by(user)(increase(ipsec_child_sa_bytes_total[1h])))", None),
    "one_sa_raw": ('{sa="%(sa)d"}[%(seconds)ds]', None),
    "p95_active_per_hour": (
        'quantile_over_time(0.95,(count(increase(ipsec_child_sa_bytes_total{direction="in"}'
        "[1m])>0))[1h:1m])", 3600),
}
ROWS = [
    ("bytes_per_sample", "final bytes per sample, all included", "B"),
    ("device_bytes_per_sample", "written to the device per sample", "B"),
    ("cpu_s_per_million", "CPU per million samples, until settled", "s"),
    ("peak_rss_mib", "peak memory while taking them in", "MiB"),
    ("peak_rss_mib_10000", "the same for 10,000 SAs and three hours", "MiB"),
    ("total_rate_ms", "total rate over all the time at 60 s steps", "ms"),
    ("top_10_users_ms", "top 10 users of the last hour", "ms"),
    ("one_sa_raw_ms", "one SA, all samples", "ms"),
    ("p95_active_per_hour_ms", "95th percentile of active SAs per hour", "ms"),
    ("top_user_bytes", "bytes of the top user in the last hour", "B"),
    ("events_per_s", "events, durable in batches of 15,000", "1/s"),
    ("cpu_us_per_event", "CPU of each of these", "µs"),
    ("year_of_minutes_ms", "a year of minutes of the gateway's figures by day", "ms"),
    ("every_sample_that_moved_ms", "every sample that moved, by SQL", "ms"),
]


class Server:
    """A time-series database on loopback; gone at the end of the block."""

    def __init__(self, command, ready):
        self.command, self.ready = command, ready

    def __enter__(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        words = [word.replace("PORT", str(self.port)) for word in self.command]
        self.process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.get(self.ready)
                return self
            except OSError:
                time.sleep(0.2)
        raise TimeoutError(f"{words[0]} does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def get(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}{query}",
                                    timeout=120) as answer:
            return answer.read()

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        return sum(int(field) for field in fields.split()[11:13]) / TICKS

    def figure(self, name, file):
        text = pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE).group(1))

    def questions(self, slots, hours):
        end = int(START + hours * 3600 - 15)
        values = {"sa": slots + 5, "seconds": int(hours * 3600)}
        results = {}
        for name, (expression, step) in QUESTIONS.items():
            expression = expression % values if "%(" in expression else expression
            spans = {"start": START + (step if step == 3600 else 0), "end": end, "step": step}
            path = "/api/v1/query_range" if step else "/api/v1/query"
            times = []
            for _ in range(9):
                before = time.monotonic()
                answer = self.get(path, query=expression, **(spans if step else {"time": end}))
                times.append((time.monotonic() - before) * 1000)
            results[f"{name}_ms"] = statistics.median(times)
            if name == "top_10_users":
                rows = json.loads(answer)["data"]["result"]
                results["top_user_bytes"] = max(float(row["value"][1]) for row in rows)
        return results


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def weir(binary, folder, slots, hours):
    done = subprocess.run([binary, "run", str(folder / "weir.db"), str(slots), str(hours)],
                          capture_output=True, text=True, check=True)
    many = subprocess.run([binary, "write", str(folder / "many.db"), "10000", "3"],
                          capture_output=True, text=True, check=True)
    peak = json.loads(many.stdout)["peak_rss_mib"]
    return json.loads(done.stdout) | {"peak_rss_mib_10000": peak}


def prometheus(binary, folder, slots, hours, samples):
    """Blocks made by promtool, which is what its own compaction would end with."""
    text, data = folder / "samples.om", folder / "prometheus"
    with open(text, "wb") as file:
        subprocess.run([binary, "text", "s", str(slots), str(hours)], stdout=file, check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", str(text),
                    str(data)], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    text.unlink()
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    results = {"bytes_per_sample": size(data) / samples,
               "cpu_s_per_million": spent / samples * 1e6,
               "peak_rss_mib": after.ru_maxrss / 1024}
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 15s}\n")
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}",
               "--web.listen-address=127.0.0.1:PORT", "--storage.tsdb.retention.time=100y",
               "--log.level=error"]
    with Server(command, "/-/ready") as server:
        return results | server.questions(slots, hours)


def victoria(binary, folder, slots, hours, samples):
    """Samples in text by HTTP, a tick at a time, then a forced merge."""
    data = folder / "victoria"
    command = ["victoria-metrics", f"-storageDataPath={data}", "-httpListenAddr=127.0.0.1:PORT",
               "-retentionPeriod=100y", "-loggerLevel=ERROR", "-search.disableCache",
               "-search.latencyOffset=0s"]
    with Server(command, "/health") as server:
        source = subprocess.Popen([binary, "text", "ms", str(slots), str(hours)],
                                  stdout=subprocess.PIPE)
        while lines := source.stdout.readlines(2_000_000):
            urllib.request.urlopen(urllib.request.Request(
                f"http://127.0.0.1:{server.port}/api/v1/import/prometheus", b"".join(lines)))
        source.wait()
        peak = server.figure("VmHWM", "status") / 1024
        for path in ("/internal/force_flush", "/internal/force_merge"):
            server.get(path)
            settle(server)
        results = {"bytes_per_sample": size(data) / samples,
                   "device_bytes_per_sample": server.figure("write_bytes", "io") / samples,
                   "cpu_s_per_million": server.cpu() / samples * 1e6, "peak_rss_mib": peak}
        return results | server.questions(slots, hours)


def settle(server):
    """Waits until the server has been idle for two seconds, a minute at most."""
    for _ in range(30):
        before = server.cpu()
        time.sleep(2)
        if server.cpu() - before < 0.1:
            return


def table(results, slots, hours, load):
    names = list(results)
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    lines = [
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, "
        f"{cpu.group(1) if cpu else 'unknown CPU'}; load average {load:.1f} at the start. "
        f"{slots} SAs for {hours:g} hours, {int(results['Weir']['samples']):,} samples.",
        "", "| | unit | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for key, title, unit in ROWS:
        cells = []
        for name in names:
            value = results[name].get(key)
            cells.append("" if value is None
                         else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}")
        lines.append(f"| {title} | {unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--slots", type=int, default=2000)
    parser.add_argument("--hours", type=float, default=6)
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        arguments = (options.binary, folder, options.slots, options.hours)
        results = {"Weir": weir(*arguments)}
        samples = results["Weir"]["samples"]
        if shutil.which("promtool") and shutil.which("prometheus"):
            results["Prometheus"] = prometheus(*arguments, samples)
        if shutil.which("victoria-metrics"):
            results["VictoriaMetrics"] = victoria(*arguments, samples)
    text = table(results, options.slots, options.hours, load)
    print(text)
    if options.write:
        page = options.write.read_text()
        if BEGIN not in page:
            sys.exit(f"{options.write} has no mark {BEGIN}")
        head, _, rest = page.partition(BEGIN)
        options.write.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
