"""Every benchmark in turn, as `make bench` runs them; each is a program of its own: `python -m tests.bench.NAME`.

Exits with 1 when one of them failed or was over its budget; the others run all the same.
"""

import subprocess
import sys
from pathlib import Path

PROGRAMS = sorted(
    path.stem
    for path in Path(__file__).parent.glob("[!_]*.py")
    if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
)
"""The modules beside this one that can be run; the others are what they share."""


def main() -> int:
    """Runs them; 1 when one did not succeed."""
    failed = []
    for name in PROGRAMS:
        print(f"\n=== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode != 0:
            failed.append(name)
    if failed:
        print(f"\nnot within its budget, or failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
