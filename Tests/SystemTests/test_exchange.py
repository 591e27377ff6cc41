"""What the demonstration recorded leaves the store and comes back; promtool reads it."""

import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time
import unittest

WEIR = os.environ["WEIR"]


def weir(*words, status=0):
    done = subprocess.run(
        [WEIR, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, f"weir {words}: {done.returncode}\n{done.stderr}"
    return done


class Exchange(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-exchange-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        weir("demo", "--clients", 3, "--duration", "12s", "--dir", cls.folder / "demo")
        cls.store = cls.folder / "demo" / "weir.db"

    def export(self, name, *options, store=None):
        path = self.folder / name
        weir("export", "--store", store or self.store, "--output", path, *options)
        self.assertFalse(path.with_name(name + ".partial").exists())
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        return path

    def query(self, store, sql):
        return weir("query", "--store", store, "--format", "ndjson", "--sql", sql).stdout

    def test_promtool_makes_blocks_with_the_same_values(self):
        path = self.export("weir.om", "--format", "openmetrics")
        blocks = self.folder / "blocks"
        made = subprocess.run(
            ["promtool", "tsdb", "create-blocks-from", "openmetrics", path, blocks],
            capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        (blocks / "wal").mkdir()  # without it promtool does not read what it wrote
        dump = subprocess.run(
            ["promtool", "tsdb", "dump", blocks], capture_output=True, text=True, timeout=300,
            check=False)
        self.assertEqual(dump.returncode, 0, dump.stderr)
        name = "ipsec_child_sa_receive_bytes_total"
        dumped = sorted(
            (int(line.split()[-1]), int(float(line.split()[-2])))
            for line in dump.stdout.splitlines() if f'__name__="{name}"' in line)
        rows = self.query(self.store, "SELECT at_ns, bytes_in FROM child_samples").splitlines()
        stored = sorted(
            (json.loads(row)["at_ns"] // 1_000_000, json.loads(row)["bytes_in"]) for row in rows)
        self.assertGreater(len(stored), 3)
        self.assertEqual(dumped, stored)

    def test_imported_through_kills_it_answers_the_same(self):
        path = self.export("weir.ndjson")
        # Long enough to be killed in: the demonstration's own lines, and ever more events.
        with open(path, "a", encoding="utf-8") as file:
            for number in range(20_000):
                file.write(json.dumps({
                    "kind": "message_dropped", "at_ns": 1_795_000_000_000_000_000 + number,
                    "count": 1}) + "\n")
        copy = self.folder / "copy.db"
        generator = random.Random(20)
        words = [WEIR, "import", str(path), "--store", str(copy), "--batch", "500"]
        killed = 0
        for delay in [0.02] + [generator.uniform(0.1, 0.7) for _ in range(10)]:
            process = subprocess.Popen(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            if process.wait() != 0:
                killed += 1
        done = weir(*words[1:])
        self.assertGreater(killed, 0)
        self.assertIn("lines imported", done.stdout)
        for sql in ["SELECT count(*) FROM events WHERE kind <> 'message_dropped'",
                    "SELECT * FROM samples ORDER BY session, child, at_ns",
                    "SELECT * FROM session_totals ORDER BY session",
                    "SELECT * FROM traffic_between(0, 9000000000000000000) ORDER BY session, child",
                    "SELECT * FROM ticks ORDER BY at_ns"]:
            self.assertEqual(self.query(copy, sql), self.query(self.store, sql), sql)
        count = "SELECT count(*) AS n FROM message_dropped"
        new = json.loads(self.query(copy, count))["n"]
        self.assertEqual(new - json.loads(self.query(self.store, count))["n"], 20_000)
        self.assertIn("nothing is damaged", weir("store", "check", "--store", copy).stdout)
        again = weir(*words[1:])
        self.assertIn(" 0 lines imported", again.stdout)

    def test_foreign_series_are_grouped_and_found(self):
        path = self.folder / "other.om"
        names = ["bytes_in", "bytes_out", "packets_in", "packets_out"]
        lines = [f"# TYPE {name} counter" for name in names]
        for name in names:
            lines += [f'{name}_total{{sa="{sa}"}} {tick * 100 + sa} {1_795_000_000 + tick * 15}'
                      for sa in range(5) for tick in range(200)]
        path.write_text("\n".join(lines) + "\n# EOF\n", encoding="utf-8")
        store = self.folder / "other.db"
        weir("import", path, "--store", store)
        found = json.loads(self.query(
            store, "SELECT count(*) AS n, sum(step) AS moved, count(DISTINCT grouping) AS groups"
                   " FROM imported_samples"))
        self.assertEqual(found, {"n": 4_000, "moved": 20 * 199 * 100, "groups": 5})

    def test_a_bad_line_is_one_line_of_advice(self):
        path = self.folder / "bad.ndjson"
        path.write_text('{"kind":"gateway_started","at_ns":1}\n{"kind":"nonsense"}\n')
        done = weir("import", path, "--store", self.folder / "bad.db", status=1)
        self.assertIn(f"{path}:2: unknown kind nonsense", done.stderr)
        self.assertIn("run this again", done.stderr)
        weir("import", path, "--format", "nonsense", status=2)
        weir("export", "--store", self.store, "--format", "csv", status=2)
        weir("export", "--store", self.store, "--kind", "nonsense", status=2)
        weir("import", path, "--store", self.folder / "none" / "x.db", status=2)


if __name__ == "__main__":
    unittest.main()
