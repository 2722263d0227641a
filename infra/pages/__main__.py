"""Writes the pages that code tells: `python -m infra.pages`; `--check` writes nothing and fails for a stale one."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from infra.catalog import ROOT
from infra.pages import data_model, errors, settings

PAGES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "settings.md": settings.page,
    ROOT / ".env.example": settings.example,
    ROOT / "docs" / "data-model.md": data_model.page,
    ROOT / "docs" / "errors.md": errors.page,
}


def stale() -> list[Path]:
    """The pages that are not what the code tells."""
    return [path for path, page in PAGES.items() if not path.is_file() or path.read_text() != page()]


def main() -> int:
    """The command line; 1 when `--check` finds a stale page."""
    parser = argparse.ArgumentParser(prog="python -m infra.pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail for a stale page")
    check: bool = parser.parse_args().check
    found = stale()
    for path in found:
        if not check:
            path.write_text(PAGES[path]())
        sys.stdout.write(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}\n")
    return int(check and bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
