"""The configuration is whole, and explained."""

import json
import re
from pathlib import Path

import pytest

from tests.unit.infra.configuration import FILES, TERRAFORM, Folder, module, parsed, root

MODULES = sorted(path.name for path in (TERRAFORM / "modules").iterdir())
FOLDERS = [TERRAFORM, *(TERRAFORM / "modules" / name for name in MODULES)]


def test_every_module_is_used_and_every_used_one_is_there() -> None:
    assert sorted(body["source"].removeprefix("./modules/") for body in root.modules.values()) == MODULES


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TERRAFORM)))
def test_every_file_parses(path: Path) -> None:
    assert parsed(path)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_folder_says_what_it_is_for_and_pins_its_provider(folder: Path) -> None:
    assert (folder / "README.md").read_text().startswith("# ")
    (terraform,) = parsed(folder / "versions.tf")["terraform"]
    assert terraform["required_version"]
    (providers,) = terraform["required_providers"]
    assert re.search(r"\d+\.\d+", str(providers["google"]["version"]))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_variable_and_output_is_typed_and_described_and_used(folder: Path) -> None:
    found = Folder(folder)
    text = "".join(path.read_text() for path in folder.glob("*.tf") if path.name != "variables.tf")
    for name, variable in found.variables.items():
        assert {"type", "description"} <= set(variable), name
        assert f"var.{name}" in text, f"{name} is never used"
        for validation in variable.get("validation", []):
            assert validation["error_message"].rstrip().endswith((".", ")")), name
    for name, output in found.outputs.items():
        assert output["description"], name


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_given_all_that_has_no_default_and_nothing_unknown(name: str) -> None:
    variables = module(name).variables
    given = set(root.modules[name]) - {"source", "for_each", "depends_on", "count"}
    assert {variable for variable, body in variables.items() if "default" not in body} <= given <= set(variables)


def test_the_example_of_settings_names_what_there_is_and_all_that_has_no_default() -> None:
    text = (TERRAFORM / "terraform.tfvars.example").read_text()
    named = set(re.findall(r"^(?:# )?(\w+) +=", text, re.MULTILINE))
    by_the_command = {"project", "region", "source_zip", "secret_versions"}
    assert named <= set(root.variables)
    needed = {name for name, body in root.variables.items() if "default" not in body}
    assert needed - by_the_command <= set(re.findall(r"^(\w+) +=", text, re.MULTILINE))


def test_every_api_that_a_resource_needs_is_turned_on() -> None:
    apis = json.loads((TERRAFORM / "apis.json").read_text())
    assert apis == sorted(set(apis))
    service_of = {
        "google_artifact_registry_repository": "artifactregistry",
        "google_billing_budget": "billingbudgets",
        "google_cloud_run_service_iam_binding": "run",
        "google_cloud_scheduler_job": "cloudscheduler",
        "google_cloudfunctions2_function": "cloudfunctions",
        "google_logging_metric": "logging",
        "google_monitoring_alert_policy": "monitoring",
        "google_pubsub_topic": "pubsub",
        "google_secret_manager_secret": "secretmanager",
        "google_service_account": "iam",
        "google_storage_bucket": "storage",
    }
    used = {kind for folder in FOLDERS for kind, _ in Folder(folder).resources}
    assert set(service_of) <= used
    needed = {f"{service_of[kind]}.googleapis.com" for kind in used if kind in service_of}
    # What has no resource: builds, what is read, who signs, who is asked for mail, where metrics go.
    besides = ("cloudbuild", "cloudresourcemanager", "iamcredentials", "gmail", "serviceusage", "telemetry")
    assert needed | {f"{name}.googleapis.com" for name in besides} == set(apis)


def test_every_exception_to_a_check_says_why() -> None:
    for path in FILES:
        for exception in re.findall(r"#checkov:skip=(.*)", path.read_text()):
            identifier, _, reason = exception.partition(":")
            assert re.fullmatch(r"CKV2?_[A-Z]+_\d+", identifier), path
            assert len(reason) > 30, f"{path}: {identifier}"
