"""Measures Weir's store on its workload beside the same samples in Prometheus's own blocks.

    python3 compare.py STORE_BENCH [GENERATOR [SLOTS [HOURS]]]

STORE_BENCH is the release build of `store-bench`. GENERATOR writes the same samples as OpenMetrics
text (`GENERATOR om SLOTS HOURS`); without it, or without promtool, Prometheus is left out.
"""

import json
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile


def used(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary, generator = sys.argv[1], (sys.argv[2:3] or [None])[0]
    slots, hours = (sys.argv[3:5] + ["2000", "6"][len(sys.argv[3:5]):])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        done = subprocess.run([binary, str(folder / "weir.db"), slots, hours],
                              capture_output=True, text=True, check=True)
        ours = json.loads(done.stdout)
        for name, value in ours.items():
            print(f"weir        {name:32}{value}")
        if not generator or not shutil.which("promtool"):
            return
        text = folder / "samples.om"
        with open(text, "wb") as file:
            subprocess.run([generator, "om", slots, hours], stdout=file, check=True)
        before = used(resource.RUSAGE_CHILDREN)
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", str(text),
                        str(folder / "prometheus")], check=True, capture_output=True)
        spent = used(resource.RUSAGE_CHILDREN) - before
        size = sum(path.stat().st_size for path in (folder / "prometheus").rglob("*")
                   if path.is_file())
        samples = ours["samples"]
        print(f"prometheus  {'bytes_per_sample':32}{size / samples:.3f}")
        print(f"prometheus  {'cpu_s_per_million':32}{spent / samples * 1e6:.3f}")


if __name__ == "__main__":
    main()
