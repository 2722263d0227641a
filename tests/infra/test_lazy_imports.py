"""A start costs what it uses: Google's clients are imported by the first call to them, never by a function's start."""

import os
import subprocess
import sys

from infra.catalog import ROOT, functions

CLIENTS = ("google.api_core", "google.auth")
"""Every client library of Google's imports one of these."""
MODULES = [
    ".".join((*one.folder.relative_to(ROOT).parts, "main")) for one in functions() if (one.folder / "main.py").is_file()
]


def _imported(*statements: str) -> set[str]:
    """Which of the clients a fresh interpreter has after these statements."""
    program = "\n".join((*statements, f"import sys; print(*(name for name in {CLIENTS} if name in sys.modules))"))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_no_function_imports_a_client_of_google_when_it_starts() -> None:
    assert len(MODULES) >= 20
    assert _imported(*(f"import {module}" for module in MODULES)) == set()


def test_the_first_call_to_the_database_imports_its_client() -> None:
    assert _imported("from shared.store import firestore", "firestore.load()") == set(CLIENTS)
