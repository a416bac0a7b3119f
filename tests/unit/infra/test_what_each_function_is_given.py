"""Each function is deployed with what its settings class asks for, and no right or secret besides."""

import re
from typing import Any, get_args

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

import main
from functions.start import SETTINGS
from infra.deploy.secrets import SECRETS, secret_id
from shared.settings import CallerSettings
from tests.unit.infra.configuration import module, root

FUNCTIONS: dict[str, dict[str, Any]] = root.locals["functions"]
# Made to be public, as its name says, though what it opens is nobody's to log.
PUBLISHABLE = "SUPABASE_PUBLISHABLE_KEY"


def fields(function: str) -> dict[str, FieldInfo]:
    return {name.upper(): field for name, field in SETTINGS[function].model_fields.items()}


def settings_given(function: str) -> set[str]:
    return {*root.locals["settings_of_all"], *FUNCTIONS[function]["settings"]}


def secrets_given(function: str) -> set[str]:
    return {*root.locals["secrets_of_all"], *FUNCTIONS[function]["secrets"]}


def is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def test_every_entry_point_is_deployed_and_nothing_else() -> None:
    assert set(FUNCTIONS) == set(main.__all__) == set(SETTINGS)


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_is_given_every_setting_without_a_default(function: str) -> None:
    required = {name for name, field in fields(function).items() if field.is_required()}
    assert required <= settings_given(function) | secrets_given(function)


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_is_given_no_setting_that_it_does_not_read(function: str) -> None:
    # Its log lines name their trace by the project (functions/serving.py).
    assert settings_given(function) <= {*fields(function), "GCP_PROJECT"}


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_may_read_no_secret_that_its_settings_do_not_name(function: str) -> None:
    assert secrets_given(function) <= set(fields(function))


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_required_secret_is_never_a_plain_variable(function: str) -> None:
    secret = {name for name, field in fields(function).items() if field.is_required() and is_secret(field)}
    assert secret - {PUBLISHABLE} <= secrets_given(function)
    assert not secrets_given(function) & settings_given(function)


def test_a_secret_that_a_function_does_not_start_without_is_required_of_the_deploy() -> None:
    secrets = root.locals["secrets"]
    for function in FUNCTIONS:
        for name in secrets_given(function):
            assert secrets[name]["required"] == fields(function)[name].is_required(), f"{function}: {name}"


def test_every_setting_that_a_function_is_given_has_a_value() -> None:
    valued = {*root.locals["settings"], *(name.upper() for name in CallerSettings.model_fields)}
    for function in FUNCTIONS:
        assert settings_given(function) <= valued


def test_every_value_and_every_secret_is_given_to_some_function() -> None:
    assert set(root.locals["settings"]) <= set().union(*map(settings_given, FUNCTIONS))
    assert set(root.locals["secrets"]) == set().union(*map(secrets_given, FUNCTIONS))


def test_the_deploy_fills_the_secrets_that_terraform_makes_room_for() -> None:
    assert {name: secret.required for name, secret in SECRETS.items()} == {
        name: secret["required"] for name, secret in root.locals["secrets"].items()
    }
    expression = root.modules["secret"]["secret_id"]
    assert expression == '${local.prefix}-${lower(replace(each.key, "_", "-"))}'
    assert secret_id("OPENAI_API_KEY") == f"{root.locals['prefix']}-openai-api-key"


def test_only_functions_that_users_call_are_open_and_those_verify_tokens_themselves() -> None:
    callers = root.locals["callers"]
    assert [who for who, caller in callers.items() if "allUsers" in caller["members"]] == ["users"]
    for name, function in FUNCTIONS.items():
        checks_machines = issubclass(SETTINGS[name], CallerSettings)
        assert (function["caller"] == "users") != checks_machines, name
        assert {"CALLER_ACCOUNTS", "CALLER_AUDIENCE"} <= settings_given(name) or not checks_machines, name


def test_machines_are_let_in_by_the_same_account_that_the_function_is_told() -> None:
    for who in ("pubsub", "scheduler"):
        caller = root.locals["callers"][who]
        (member,) = caller["members"]
        assert member.replace(".member}", ".email}") == caller["accounts"]
    assert root.locals["callers"]["pubsub"]["members"] != root.locals["callers"]["scheduler"]["members"]


def test_each_function_runs_as_an_account_of_its_own() -> None:
    function = module("function")
    (account,) = function.of("google_service_account").values()
    assert account["account_id"] == "${var.prefix}-${local.name}"
    (deployed,) = function.of("google_cloudfunctions2_function").values()
    (service,) = deployed["service_config"]
    assert service["service_account_email"] == "${google_service_account.this.email}"
    assert len({name.replace("_", "-") for name in FUNCTIONS}) == len(FUNCTIONS)


def test_a_function_has_no_right_in_the_whole_project_but_to_write_metrics() -> None:
    assert root.modules["function"]["project_roles"] == ["roles/telemetry.metricsWriter"]
    (granted,) = module("function").of("google_project_iam_member").values()
    assert granted["for_each"] == "${toset(var.project_roles)}"
    roles = {body["role"]: body for body in root.of("google_project_iam_member").values()}
    assert set(roles) == {"roles/logging.logWriter", "roles/storage.objectViewer"}, "the build's, which is no function"
    assert {body["member"] for body in roles.values()} == {"${google_service_account.build.member}"}
    # Terraform's state lies in a bucket of the same project.
    (condition,) = roles["roles/storage.objectViewer"]["condition"]
    assert "gcf-v2-sources-" in condition["expression"]
    assert "tenths-state" not in condition["expression"]


def test_a_secret_is_readable_only_where_a_function_names_it_and_by_a_fixed_version() -> None:
    function = module("function")
    (right,) = function.of("google_secret_manager_secret_iam_member").values()
    assert right["for_each"] == "${var.secrets}"
    assert right["member"] == "${google_service_account.this.member}"
    assert not root.of("google_secret_manager_secret_iam_member")
    validations = function.variables["secrets"]["validation"]
    assert any("^[0-9]+$" in one["condition"] for one in validations)


def test_no_secret_has_a_value_in_the_configuration() -> None:
    for folder in (root, module("secret"), module("function")):
        assert not folder.of("google_secret_manager_secret_version")


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_one_instance_holds_all_it_serves_at_once(function: str) -> None:
    size = FUNCTIONS[function]["size"]
    match = re.fullmatch(r"(\d+)(Mi|Gi)", size["memory"])
    assert match is not None
    megabytes = int(match[1]) * (1024 if match[2] == "Gi" else 1)
    idle_and_system = 82 + 100  # as measured; what a container's own system takes
    # Scans and rescans hold a batch each; where emails come one by one, each holds one of 2 MB at most, and its copies.
    of_one = {"tools": 25, "rescan_page": 50}.get(function, 6)
    assert idle_and_system + size["concurrency"] * of_one <= megabytes
