"""The database as planned: the indexes, lifetimes and rules of the files that the Firebase tools read as well."""

import json

from tests.infra.workspace import INFRA, Plan

DESCRIBED = json.loads((INFRA / "firestore.indexes.json").read_text())


def test_every_index_of_the_file_is_planned_and_no_other(prod: Plan) -> None:
    planned = sorted(
        (
            index["collection"],
            index["query_scope"],
            [(field["field_path"], field["order"] or field["array_config"]) for field in index["fields"]],
        )
        for index in prod.of("google_firestore_index").values()
    )
    assert planned == sorted(
        (
            index["collectionGroup"],
            index["queryScope"],
            [(field["fieldPath"], field.get("order") or field["arrayConfig"]) for field in index["fields"]],
        )
        for index in DESCRIBED["indexes"]
    )


def test_what_is_kept_for_a_time_only_is_deleted_by_the_database(prod: Plan) -> None:
    planned = {
        (field["collection"], field["field"])
        for field in prod.of("google_firestore_field").values()
        if field["ttl_config"]
    }
    described = {(one["collectionGroup"], one["fieldPath"]) for one in DESCRIBED["fieldOverrides"] if one.get("ttl")}
    assert planned == described
    assert {("idempotency", "expires_at"), ("rate_limits", "expires_at")} <= described


def test_a_field_that_grows_with_time_or_size_is_not_indexed(prod: Plan) -> None:
    # An index over times that only grow caps a collection at about 500 writes a second.
    for name, field in prod.of("google_firestore_field").items():
        if field["ttl_config"] or name == "assets text":
            assert [config["indexes"] for config in field["index_config"]] == [[]], name


def test_the_rules_of_the_file_are_released(prod: Plan) -> None:
    (source,) = prod.one("google_firebaserules_ruleset", "firestore")["source"]
    assert source["files"][0]["content"] == (INFRA / "firestore.rules").read_text()
    assert prod.one("google_firebaserules_release", "firestore")["name"] == "cloud.firestore"


def test_the_database_can_be_brought_back_and_not_lost(prod: Plan) -> None:
    database = prod.one("google_firestore_database")
    assert database["point_in_time_recovery_enablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    assert database["delete_protection_state"] == "DELETE_PROTECTION_ENABLED"
    assert {"daily", "weekly"} == prod.resources["google_firestore_backup_schedule"].keys()
