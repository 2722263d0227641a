"""The console's modules that need no browser, tested by Node's own runner; and what they share with the platform."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from clients.uploader.content_types import content_type_of
from shared.services.content import SUPPORTED

HERE = Path(__file__).parent
SITE = HERE.parents[2] / "clients" / "web" / "site"
MODULES = sorted(HERE.glob("*.test.mjs"))

node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")


@node
@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_module(module: Path) -> None:
    run = subprocess.run(["node", "--test", module], capture_output=True, text=True, timeout=120)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout


@node
def test_the_console_knows_the_types_that_the_platform_knows() -> None:
    script = "import('./content_types.js').then((m) => console.log(JSON.stringify([m.BY_SUFFIX, [...m.SUPPORTED]])))"
    run = subprocess.run(["node", "-e", script], cwd=SITE, capture_output=True, text=True, timeout=60, check=True)
    by_suffix, supported = json.loads(run.stdout)

    assert set(supported) == SUPPORTED
    assert by_suffix == {suffix: content_type_of(f"x.{suffix}") for suffix in by_suffix}


def test_nothing_is_loaded_from_elsewhere_and_no_script_or_style_stands_in_the_page() -> None:
    page = (SITE / "index.html").read_text()

    assert "<style" not in page
    assert "style=" not in page
    assert page.count("<script") == 1
    sources = [line for line in page.splitlines() if "src=" in line or "href=" in line]
    assert not [line for line in sources if "//" in line]
