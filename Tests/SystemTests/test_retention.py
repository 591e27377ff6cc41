"""What is too old goes, what a legal hold covers stays until it is released: by the commands, in a
store that a gateway writes to. What sessions carried by hour outlives their samples."""

import json
import time

from lab import LabTestCase, wait_for
from weir import Weir, binary, configuration

HOUR = 3_600 * 10**9
SESSIONS = [f"019ab3c4-5d6e-7f80-9a1b-2c3d4e5f607{number}" for number in (1, 2)]


class Retention(LabTestCase):
    def history(self, store):
        """Two sessions of five hours ago, as an export has them."""
        start = time.time_ns() - 5 * HOUR
        lines = [{"kind": "run", "run": 1, "started_ns": start, "boot_id": "old", "version": "0.1.0",
                  "last_ns": start + HOUR, "last_mono_ns": HOUR, "settled": 1}]
        for child, session in enumerate(SESSIONS, start=1):
            lines.append({"kind": "session_established", "run": 1, "at_ns": start, "mono_ns": 0,
                          "session": session, "connection": "staff", "total_us": 24_500})
            total = {"bytes_in": 3_000, "packets_in": 30, "bytes_out": 300, "packets_out": 3}
            lines += [
                {"kind": "child_sample", "run": 1, "at_ns": start + tick * 10**9,
                 "session": session, "child": child,
                 **{name: value * tick // 3 for name, value in total.items()}}
                for tick in (1, 2, 3)]
            lines += [
                {"kind": "child_sa_closed", "run": 1, "at_ns": start + 10**10, "mono_ns": 10**10,
                 "session": session, "child": child, "reason": "session_closed", **total},
                {"kind": "session_closed", "run": 1, "at_ns": start + 10**10, "mono_ns": 10**10,
                 "session": session, "reason": "deleted_by_peer", "duration_ms": 10_000, **total}]
        file = self.folder / "old.ndjson"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.run_command(binary(), "import", file, "--store", store)

    def test_a_held_session_stays_until_it_is_released(self):
        settings = configuration(self.folder)
        settings["telemetry"]["retention"] = {"samples": "1h"}
        store = settings["telemetry"]["store"]
        self.history(store)
        hold = ["store", "hold"]
        added = self.run_command(
            binary(), *hold, "add", "--session", SESSIONS[1], "--reason", "case 7",
            "--store", store)
        self.assertEqual(added.stdout.strip(), "1")

        weir = Weir(self, settings)

        def sampled():
            return [row["session"] for row in weir.rows(
                "SELECT n.session FROM chunks c JOIN series s ON s.id = c.series"
                " JOIN sampled_sessions n ON n.id = s.session")]

        wait_for("the other session's samples to go", lambda: sampled() == [SESSIONS[1]], 30)
        placed = weir.wait_for_rows("the hold's record", "SELECT hold, scope FROM hold_placed",
                                    seconds=30)
        self.assertEqual(placed, [{"hold": 1, "scope": "session"}])
        (listed,) = weir.json(*hold, "list", "--store", store)
        self.assertEqual(
            (listed["hold"], listed["session"], listed["reason"], listed["released_ns"]),
            (1, SESSIONS[1], "case 7", None))

        # What it covers is looked at again at each tick, and stays.
        ticks = weir.rows("SELECT count(*) AS n FROM ticks")[0]["n"]
        wait_for("three more ticks", lambda: weir.rows("SELECT count(*) AS n FROM ticks")[0]["n"]
                 >= ticks + 3, 30)
        self.assertEqual(sampled(), [SESSIONS[1]])

        weir.command(*hold, "release", "1", "--store", store)
        weir.command(*hold, "release", "1", "--store", store, status=1)
        wait_for("its samples to go, too", lambda: sampled() == [], 30)
        weir.wait_for_rows("the release's record", "SELECT hold FROM hold_released", seconds=30)
        self.assertIsNotNone(weir.json(*hold, "list", "--store", store)[0]["released_ns"])

        hours = weir.rows("SELECT session, sum(bytes_in) AS bytes FROM traffic_hours"
                          " GROUP BY session ORDER BY session")
        self.assertEqual(hours, [{"session": name, "bytes": 3_000} for name in SESSIONS])
        weir.stop()
        report = weir.command(
            "report", "handshakes", "--store", store, "--since", "-1d", "--format", "json")
        self.assertEqual(json.loads(report.stdout)[0]["rows"][0]["logins"], 2)
