"""`python -m benchmarks [PART …]`: measures, prints, and judges by the gates."""

from __future__ import annotations

import argparse
import sys

from benchmarks.bench import bench
from benchmarks.parts import ALL, Sizes


def main() -> int:
    options = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    options.add_argument("parts", nargs="*", metavar="PART", help=", ".join(ALL))
    options.add_argument("--runs", type=int, default=3, help="of each part (3)")
    options.add_argument(
        "--size", type=float, default=1.0, help="a share of it, to try it out (1.0)"
    )
    asked = options.parse_args()
    unknown = set(asked.parts) - set(ALL)
    if unknown:
        options.error(f"no such part: {', '.join(sorted(unknown))}")
    sizes = Sizes() if asked.size == 1 else Sizes().times(asked.size)
    with bench() as there:
        # It knows models, which are there from now on.
        from benchmarks.run import run

        return run(there, asked.parts or ALL, runs=asked.runs, sizes=sizes)


if __name__ == "__main__":
    sys.exit(main())
