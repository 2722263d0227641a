"""The costs that are told are those of the counted operations and of the price table."""

import re
import sys
from pathlib import Path

import pytest

from infra import costs
from infra.catalog import ROOT, Function, Instances, QueueTrigger

PAGE = ROOT / "docs" / "costs.md"


def test_the_page_shows_the_price_table() -> None:
    shown = re.search(r"<!-- prices -->\n(.*?)\n<!-- /prices -->", PAGE.read_text(), re.DOTALL)
    assert shown
    assert shown[1] == costs.price_list(), "run `python -m infra.costs --page`"


def test_operations_are_scaled_to_a_thousand_uploads() -> None:
    counts = costs.Counts(uploads=250, operations={"documentai.pages": 500})
    assert counts.per_batch() == {"documentai.pages": 2000}
    # 2,000 pages at 1.50 a thousand
    assert "| **all** | | | **3.0000** |" in costs.bill(counts.per_batch())


def test_the_dearest_part_comes_first() -> None:
    table = costs.bill({"firestore.reads": 1000, "documentai.pages": 1000, "tasks.operations": 10})
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:5]] == [
        "Document AI",
        "Firestore (eur3)",
        "Cloud Tasks",
    ]


def test_an_operation_without_a_price_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"no price of firestore\.listens"):
        costs.bill({"firestore.listens": 1})


def test_an_instance_kept_warm_costs_its_cpu_and_its_memory() -> None:
    warm = Function(
        name="x", description="x", trigger=QueueTrigger(queue="x"), memory="512Mi", cpu="2", instances=Instances(min=1)
    )
    quantities = costs.standing([warm])
    assert quantities["functions.idle_vcpu_seconds"] == 2 * 730 * 3600
    assert quantities["functions.idle_gib_seconds"] == 0.5 * 730 * 3600


def test_every_price_names_its_source_and_every_operation_has_one_price() -> None:
    prices = costs.prices().prices
    assert all(price.source.startswith("cloud.google.com/") for price in prices)
    assert len({price.operation for price in prices}) == len(prices)


def test_the_command_prints_both_bills(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = tmp_path / "counts.json"
    counted.write_text('{"uploads": 2000, "operations": {"firestore.writes": 6000}}')
    monkeypatch.setattr(sys, "argv", ["costs", str(counted)])
    costs.main()
    printed = capsys.readouterr().out
    assert "## 1,000 uploads, from 2,000 counted" in printed
    assert "| Firestore (eur3) | documents written | 3,000 | 0.0054 |" in printed
    assert "## A month of readiness" in printed
