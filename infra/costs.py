"""What the platform costs on Google Cloud: for 1,000 uploads from counted operations, and for a month of readiness.

`python -m tests.bench.operations` counts: `{"uploads": 500, "operations": {"firestore.reads": 1100, ...}}`. `python -m
infra.costs build/counts.json` multiplies that with `infra/prices.json` and prints Markdown. Prices are list prices
without free tiers and discounts: what the next upload costs a platform that is past them.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from infra.catalog import ROOT, Function, Kind, functions

PRICES = ROOT / "infra" / "prices.json"
PAGE = ROOT / "docs" / "costs.md"

BATCH = 1_000
"""Uploads that costs are told for."""
HOURS = 730
"""Hours in a month, as Google reckons."""
RULES = len(re.findall(r"^  rule \{", (ROOT / "infra" / "armor.tf").read_text(), re.MULTILINE))
"""Rules of the Cloud Armor policy."""
MEMORY_UNITS = {"Mi": 1 / 1024, "Gi": 1.0}


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(_Read):
    """`price` is for `per` units of one operation; `source` is the page that states it."""

    operation: str
    part: str
    unit: str
    price: float
    per: int
    source: str

    def of(self, quantity: float) -> float:
        """The price of this many."""
        return quantity * self.price / self.per


class PriceTable(_Read):
    """All prices, with the day they were collected."""

    date: str
    currency: str
    prices: tuple[Price, ...]

    def named(self, operation: str) -> Price:
        """The price of one operation.

        Raises:
            SystemExit: it has none here; a count that costs nothing is better not counted.
        """
        for price in self.prices:
            if price.operation == operation:
                return price
        raise SystemExit(f"infra/prices.json has no price of {operation}")


class Counts(_Read):
    """Operations that were counted while `uploads` files travelled the whole way."""

    uploads: int = Field(gt=0)
    operations: Mapping[str, float]

    def per_batch(self) -> dict[str, float]:
        """Operation → how many for `BATCH` uploads."""
        return {name: quantity * BATCH / self.uploads for name, quantity in self.operations.items()}


@lru_cache
def prices() -> PriceTable:
    """The price table of this checkout."""
    return PriceTable.model_validate_json(PRICES.read_text())


def standing(described: Iterable[Function]) -> dict[str, float]:
    """What runs for a month whether or not anybody uploads: operation → quantity."""
    described = tuple(described)
    seconds = HOURS * 3600
    return {
        "functions.idle_vcpu_seconds": sum(one.instances.min * float(one.cpu) * seconds for one in described),
        "functions.idle_gib_seconds": sum(one.instances.min * gib(one.memory) * seconds for one in described),
        "loadbalancer.hours": HOURS,
        "armor.policies": 1,
        "armor.rules": RULES,
        "secrets.versions": len({"CURSOR_KEY"}.union(*(one.secrets for one in described))),
        "scheduler.jobs": sum(one.kind is Kind.SCHEDULES for one in described),
    }


def bill(quantities: Mapping[str, float]) -> str:
    """A Markdown table of quantities and their prices, dearest part first, with the total."""
    lines = [(prices().named(name), quantity) for name, quantity in quantities.items() if quantity]
    lines.sort(key=lambda line: -line[0].of(line[1]))
    total = sum(price.of(quantity) for price, quantity in lines)
    rows = [
        f"| {price.part} | {price.unit} | {quantity:,.10g} | {price.of(quantity):.4f} |" for price, quantity in lines
    ]
    head = [f"| part | what | how many | {prices().currency} |", "|---|---|--:|--:|"]
    return "\n".join([*head, *rows, f"| **all** | | | **{total:.4f}** |"])


def price_list() -> str:
    """The price table as Markdown."""
    head = [f"| part | what | {prices().currency} | for | source |", "|---|---|--:|--:|---|"]
    rows = [f"| {one.part} | {one.unit} | {one.price:g} | {one.per:,} | {one.source} |" for one in prices().prices]
    return "\n".join([*head, *rows])


def gib(memory: str) -> float:
    """`512Mi` in GiB."""
    number, unit = re.fullmatch(r"([\d.]+)(Mi|Gi)", memory).groups()  # type: ignore[union-attr]  # the catalogue's form
    return float(number) * MEMORY_UNITS[unit]


def write_page() -> None:
    """Brings the price table of `docs/costs.md` up to date."""
    block = f"<!-- prices -->\n{price_list()}\n<!-- /prices -->"
    PAGE.write_text(re.sub(r"<!-- prices -->.*<!-- /prices -->", block, PAGE.read_text(), flags=re.DOTALL))


def main() -> None:
    """The command line: prints the bills as Markdown, or brings the page up to date."""
    parser = argparse.ArgumentParser(prog="python -m infra.costs", description=__doc__)
    parser.add_argument(
        "counts", type=Path, nargs="?", help="JSON of counted operations, as tests.bench.operations writes it"
    )
    parser.add_argument("--page", action="store_true", help="write the price table into docs/costs.md")
    given = parser.parse_args()
    if given.page:
        write_page()
    if given.counts:
        counts = Counts.model_validate_json(given.counts.read_text())
        sys.stdout.write(f"Prices of {prices().date}, {prices().currency}, list prices without free tiers.\n")
        sys.stdout.write(f"\n## {BATCH:,} uploads, from {counts.uploads:,} counted\n\n{bill(counts.per_batch())}\n")
        sys.stdout.write(f"\n## A month of readiness\n\n{bill(standing(functions()))}\n")


if __name__ == "__main__":
    main()
