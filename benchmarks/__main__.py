"""`python -m benchmarks [PART …]`: measures, prints, and judges by the gates."""

from __future__ import annotations

import argparse
import sys

from benchmarks.bench import bench
from benchmarks.parts import PARTS


def main() -> int:
    options = argparse.ArgumentParser(prog="benchmarks")
    options.add_argument("parts", nargs="*", metavar="PART", choices=PARTS)
    options.add_argument("--runs", type=int, default=3)
    asked = options.parse_args()
    with bench() as there:
        from benchmarks import run

        return run.run(there, asked.parts or PARTS, runs=asked.runs)


if __name__ == "__main__":
    sys.exit(main())
