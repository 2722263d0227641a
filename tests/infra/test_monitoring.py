"""What is watched exists: metrics count lines that are logged, charts and alerts ask for metrics that are made."""

import re
from collections.abc import Iterator

import pytest

from functions.http.auth.main import router
from infra.catalog import ROOT
from tests.infra.workspace import INFRA, Plan

SOURCES = "\n".join(path.read_text() for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py"))
LOGGED = set(re.findall(r"_log\.\w+\(\s*\"(\w+)\"", SOURCES))


def _metrics(prod: Plan) -> Iterator[str]:
    """What log-based metrics look for: the filter, the value and the labels of each, as text."""
    for values in [*prod.of("google_logging_metric", "counted").values(), prod.one("google_logging_metric", "latency")]:
        yield " ".join([values["filter"], values["value_extractor"] or "", *values["label_extractors"].values()])


def test_every_line_that_is_counted_is_logged(prod: Plan) -> None:
    counted = {message for text in _metrics(prod) for message in re.findall(r'jsonPayload\.message="(\w+)"', text)}
    assert len(counted) >= 5
    assert counted - LOGGED == set()


def test_every_field_that_is_counted_is_logged(prod: Plan) -> None:
    fields = {field for text in _metrics(prod) for field in re.findall(r"jsonPayload\.(\w+)", text)} - {"message"}
    assert {field for field in fields if not re.search(rf"\b{field}=", SOURCES)} == set()
    # Cloud Logging takes these from `httpRequest` of the line: https://cloud.google.com/logging/docs/structured-logging
    moved = {field for text in _metrics(prod) for field in re.findall(r"httpRequest\.(\w+)", text)}
    assert {field for field in moved if f'"{field}"' not in SOURCES} == set()


def test_the_sign_ins_that_are_counted_are_those_that_exist() -> None:
    (pattern,) = re.findall(r'sign_in_paths = "(.*)"', (INFRA / "monitoring.tf").read_text())
    counted = {route.path for route in router.routes if re.search(pattern, getattr(route, "path", ""))}  # type: ignore[attr-defined]  # every route here has a path
    assert counted == {"/api/auth/login", "/api/auth/google", "/api/auth/passkeys/login/verify"}


def test_charts_and_alerts_ask_for_metrics_that_are_made(prod: Plan) -> None:
    made = {values["name"].replace("/", "_") for values in prod.resources["google_logging_metric"].values()}
    queries = [prod.one("google_monitoring_dashboard")["dashboard_json"], (INFRA / "alerts.tf").read_text()]
    asked = {name for query in queries for name in re.findall(r"logging_googleapis_com:user_(\w+)", query)}
    assert len(asked) >= 8
    assert {name.removesuffix("_bucket") for name in asked} <= made


def test_every_alert_says_what_to_do(prod: Plan) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    for name, values in prod.of("google_monitoring_alert_policy").items():
        section = name.replace("_", "-")
        assert section in values["documentation"][0]["content"]
        assert f"\n### {section}" in runbook, f"docs/runbook.md has no section {section}"


@pytest.mark.parametrize("percent", [0.5, 0.9, 1.0, 1.2])
def test_the_budget_warns_before_and_after_it_is_spent(prod: Plan, percent: float) -> None:
    (budget,) = prod.of("google_billing_budget").values()
    assert percent in {rule["threshold_percent"] for rule in budget["threshold_rules"]}
