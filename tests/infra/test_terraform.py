"""The configuration itself: its form, its types, and its own tests."""

import re
from pathlib import Path

import hcl2
import pytest

from tests.infra.workspace import INFRA, Plan, Workspace

FILES = sorted(INFRA.glob("*.tf"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_parses_without_terraform(path: Path) -> None:
    with path.open() as file:
        assert hcl2.load(file)


def test_terraform_fmt_finds_nothing_to_change(workspace: Workspace) -> None:
    assert workspace.run("fmt", "-check", "-recursive", "-diff") == ""


def test_every_argument_exists_in_the_provider_and_has_its_type(workspace: Workspace) -> None:
    assert "The configuration is valid" in workspace.run("validate")


def test_an_argument_that_the_provider_does_not_know_is_found(workspace: Workspace) -> None:
    # The test above would pass as well if the stand-in accepted anything.
    with pytest.raises(AssertionError, match="Unsupported argument"):
        workspace.validate_with('resource "google_pubsub_topic" "wrong" {\n  name = "x"\n  colour = "red"\n}\n')


def test_the_terraform_tests_pass(workspace: Workspace) -> None:
    shown = workspace.run("test")
    passed = re.search(r"Success! (\d+) passed, 0 failed", shown)
    assert passed, shown
    assert int(passed[1]) >= 11


def test_both_environments_plan(dev: Plan, prod: Plan) -> None:
    # Then both make the same things: an environment differs in settings, never in parts.
    def made(plan: Plan) -> set[str]:
        return {change["address"] for change in plan.changes if not change["address"].startswith("data.")}

    assert made(prod) - made(dev) == {
        'google_billing_budget.this["012345-6789AB-CDEF01"]',
        'google_monitoring_notification_channel.email["alta-oncall@example.com"]',
    }


def test_terraform_never_looks_away_from_a_change_of_source() -> None:
    text = "\n".join(path.read_text() for path in FILES)
    assert "ignore_changes" not in text


def test_the_bootstrap_plans_with_no_key_and_no_broad_role(workspace: Workspace) -> None:
    workspace.run("init", "-backend=false", module="bootstrap")
    variables = ["-var=project_id=alta-test", "-var=environment=dev", "-var=repository=example/alta"]
    shown = workspace.run("plan", *variables, module="bootstrap")
    assert "google_service_account_key" not in shown
    assert not re.search(r'"roles/(owner|editor)"', shown)
