"""Who may do what, as planned: least privilege, and nothing private that is reachable."""

import re

from infra.catalog import Kind, functions
from infra.imports import reach
from tests.infra.topology import last
from tests.infra.workspace import INFRA, Plan

EVERYBODY = {"allUsers", "allAuthenticatedUsers"}
BROAD = re.compile(r"^roles/(owner|editor|viewer|browser|\w+\.admin|\w+\.owner|iam\..*[aA]dmin)$")
# Roles that end in .admin but hold one service's data and nothing of the project, with the reason each is asked for.
WITH_REASON = {"roles/firebaseauth.admin": "auth creates, disables and deletes identities; there is no narrower role"}


def test_no_function_holds_a_broad_role(prod: Plan) -> None:
    held = {values["role"] for values in prod.of("google_project_iam_member", "function").values()}
    assert {role for role in held if BROAD.match(role)} <= WITH_REASON.keys()


def test_every_function_holds_exactly_the_roles_it_names(prod: Plan) -> None:
    planned = prod.of("google_project_iam_member", "function")
    assert set(planned) == {f"{function.name} {role}" for function in functions() for role in function.roles}
    assert all(key.split(" ")[1] == values["role"] for key, values in planned.items())


def test_every_function_holds_exactly_the_bucket_roles_it_names(prod: Plan) -> None:
    planned = prod.of("google_storage_bucket_iam_member", "function")
    assert set(planned) == {f"{function.name} {role}" for function in functions() for role in function.bucket_roles}


def test_a_function_adds_tasks_to_the_queues_it_names_only(prod: Plan) -> None:
    planned = prod.of("google_cloud_tasks_queue_iam_member", "enqueuer")
    assert set(planned) == {f"{function.name} {queue}" for function in functions() for queue in function.enqueues}
    assert {values["role"] for values in planned.values()} == {"roles/cloudtasks.enqueuer"}


def test_only_functions_that_enqueue_act_as_the_account_of_tasks(prod: Plan) -> None:
    planned = prod.of("google_service_account_iam_member", "acts_as_tasks")
    assert set(planned) == {function.name for function in functions() if function.enqueues}
    tasks = f"call-tasks@{prod.project}.iam.gserviceaccount.com"
    assert {last(values["service_account_id"]) for values in planned.values()} == {tasks}


def test_a_private_function_answers_what_wakes_it_and_nothing_else(prod: Plan) -> None:
    planned = prod.of("google_cloud_run_v2_service_iam_member", "private")
    assert {name: values["member"] for name, values in planned.items()} == {
        function.name: f"serviceAccount:call-{function.kind}@{prod.project}.iam.gserviceaccount.com"
        for function in functions()
        if function.kind is not Kind.HTTP
    }


def test_only_functions_that_sign_may_sign_and_only_as_themselves(prod: Plan) -> None:
    planned = prod.of("google_service_account_iam_member", "signs_as_itself")
    assert set(planned) == {function.name for function in functions() if function.signs}
    for name, values in planned.items():
        assert last(values["service_account_id"]) == f"fn-{name}@{prod.project}.iam.gserviceaccount.com"
        assert values["member"] == f"serviceAccount:fn-{name}@{prod.project}.iam.gserviceaccount.com"


def test_everybody_may_invoke_http_functions_and_nothing_else(prod: Plan) -> None:
    open_to_all = {
        (kind, key)
        for kind, resources in prod.resources.items()
        for key, values in resources.items()
        if values.get("member") in EVERYBODY or EVERYBODY & set(values.get("members") or ())
    }
    http = {function.name for function in functions() if function.kind is Kind.HTTP}
    assert open_to_all == {("google_cloud_run_v2_service_iam_member", f'public["{name}"]') for name in http}


def test_no_function_is_reachable_around_the_load_balancer(prod: Plan) -> None:
    for name, values in prod.of("google_cloudfunctions2_function").items():
        http = next(function for function in functions() if function.name == name).kind is Kind.HTTP
        allowed = "ALLOW_INTERNAL_AND_GCLB" if http else "ALLOW_INTERNAL_ONLY"
        assert values["service_config"][0]["ingress_settings"] == allowed, name


def test_no_secret_has_its_value_in_the_state(prod: Plan) -> None:
    assert "google_secret_manager_secret_version" not in prod.resources
    text = "\n".join(path.read_text() for path in INFRA.glob("*.tf"))
    assert not re.search(r'resource "(google_service_account_key|random_password|tls_private_key)"', text)


def test_a_function_reads_the_secrets_it_names_only(prod: Plan) -> None:
    planned = set(prod.of("google_secret_manager_secret_iam_member", "function"))
    named = {f"{function.name} {secret}" for function in functions() for secret in function.secrets}
    of_all = {f"{function.name} CURSOR_KEY" for function in functions()}
    assert planned == named | of_all


def test_no_bucket_can_be_made_public(prod: Plan) -> None:
    buckets = prod.resources["google_storage_bucket"]
    assert len(buckets) == 2
    for values in buckets.values():
        assert values["public_access_prevention"] == "enforced"
        assert values["uniform_bucket_level_access"] is True


def test_a_function_publishes_to_the_topics_it_names_only(prod: Plan) -> None:
    planned = prod.of("google_pubsub_topic_iam_member", "function_publishes")
    named = {f"{function.name} {topic}" for function in functions() for topic in function.publishes}
    assert set(planned) == named
    assert all(
        (values["topic"], values["role"]) == (key.split(" ")[1], "roles/pubsub.publisher")
        for key, values in planned.items()
    )


# What a function that reaches a module of ours must be allowed: else it works on the local cloud and fails on Google's.
NEEDED = {
    "shared.cloud.documentai": lambda function: "roles/documentai.apiUser" in function.roles,
    "shared.cloud.speech": lambda function: "roles/speech.client" in function.roles,
    "shared.cloud.tasks": lambda function: bool(function.enqueues),
    "shared.cloud.pubsub": lambda function: bool(function.publishes),
    "shared.store.connection": lambda function: any(role.startswith("roles/datastore.") for role in function.roles),
    "shared.store.bucket": lambda function: bool(function.bucket_roles),
}
# Reached by import, through a service of which the function uses another part.
NEVER_CALLED = {
    ("deadletter", "shared.cloud.pubsub"): "records that an event was given up on; replaying is the admin's",
    ("deadletter", "shared.store.bucket"): "writes the record only",
    ("documents", "shared.cloud.tasks"): "checks a step of an asset; its end is told by the functions that take it in",
    ("voice", "shared.cloud.tasks"): "checks a step of an asset; its end is told by the functions that take it in",
    ("files", "shared.cloud.pubsub"): "plain files are not recognised again: refused before anything is published",
    ("purge", "shared.store.bucket"): "has erasures begun; objects are deleted by the function of their queue",
    ("sessions", "shared.store.bucket"): "has sessions counted; the function of that queue looks at objects",
    ("labels", "shared.cloud.tasks"): "labelling decides no review, so that there is nothing to tell or to count",
    ("mail", "shared.cloud.tasks"): "sends letters that others put into its queue",
    ("admin", "shared.cloud.tasks"): "lists users and companies; changing them is done by functions that send mail",
    ("admin", "shared.store.bucket"): "replays an event whose object is described in the dead letter",
}


def test_what_a_function_reaches_it_may_use() -> None:
    lacking = {
        (function.name, module)
        for function in functions()
        if (function.folder / "main.py").is_file()
        for module in NEEDED.keys() & set(reach(function.folder / "main.py").modules)
        if not NEEDED[module](function)
    }
    assert lacking - NEVER_CALLED.keys() == set(), "allow it in function.yaml, or say above why it is never called"
