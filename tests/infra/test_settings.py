"""What functions are told: every setting that they know, and nothing that they don't."""

from infra.catalog import functions
from shared.settings import EMULATOR_VARIABLES, Settings
from tests.infra.workspace import INFRA, Plan

# Signing is done by IAM signBlob as the function's own account, so neither is set on Google Cloud.
# Only the local cloud lets webhooks go to loopback addresses.
UNSET = {"SIGNING_ACCOUNT", "SIGNING_KEY", "WEBHOOK_LOOPBACK"}
# Mounted where function.yaml asks for it.
SECRETS = {"SEALING_KEYS", "SMTP_PASSWORD"}
# Read by the functions-framework, not by us.
SERVING = {"FUNCTION_USE_ASGI", "WORKERS"}


def _told(prod: Plan, name: str) -> tuple[set[str], set[str]]:
    """Names of the plain and of the secret variables of a function."""
    address = f'google_cloudfunctions2_function.this["{name}"]'
    change = next(one["change"] for one in prod.changes if one["address"] == address)
    (config,), (later,) = change["after"]["service_config"], change["after_unknown"]["service_config"]
    secret = {variable["key"] for variable in config["secret_environment_variables"]}
    return set(config["environment_variables"]) | set(later["environment_variables"]), secret


def test_every_setting_is_set_or_a_secret_of_the_function(prod: Plan) -> None:
    known = {name.upper() for name in Settings.model_fields}
    for function in functions():
        plain, secret = _told(prod, function.name)
        assert plain - SERVING <= known, function.name
        assert secret <= known, function.name
        assert known - plain - secret <= UNSET | SECRETS, function.name


def test_no_function_is_told_of_an_emulator(prod: Plan) -> None:
    text = "\n".join(path.read_text() for path in INFRA.glob("*.tf"))
    assert not [variable for variable in EMULATOR_VARIABLES if variable in text]


def test_a_function_is_sized_as_its_description_says(prod: Plan, dev: Plan) -> None:
    for function in functions():
        planned = prod.of("google_cloudfunctions2_function")[function.name]["service_config"][0]
        assert planned["available_memory"] == function.memory
        assert planned["available_cpu"] == function.cpu
        assert planned["timeout_seconds"] == function.timeout_seconds
        assert planned["max_instance_request_concurrency"] == function.concurrency
        assert planned["min_instance_count"] == function.instances.min
        assert planned["max_instance_count"] == function.instances.max
        idle = dev.of("google_cloudfunctions2_function")[function.name]["service_config"][0]
        assert idle["min_instance_count"] == 0


def test_an_instance_kept_warm_says_why() -> None:
    kept = [function for function in functions() if function.instances.min > 0]
    assert [function.name for function in kept if not function.why_sized] == []
