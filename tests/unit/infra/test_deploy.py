"""A deploy from nothing, again, and interrupted: as a process, with stand-ins for the three programs that it runs."""

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.unit.infra.configuration import ROOT

STAND_IN = Path(__file__).with_name("stand_in.py")
TYPED = {"GOOGLE_CLIENT_SECRET": "hush-of-google", "SUPABASE_SECRET_KEY": "sb_secret_hush"}


@dataclass
class Machine:
    """Programs on the PATH, settings, and what is in the environment."""

    folder: Path
    environ: dict[str, str] = field(default_factory=lambda: dict(TYPED))

    def install(self, *names: str) -> None:
        for name in names:
            program = self.folder / name
            command = shlex.join([sys.executable, str(STAND_IN), str(program)])
            program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            program.chmod(0o755)

    def deploy(self, *arguments: str, command: str = "deploy", typed: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "infra.deploy", command, "--project=my-project", "--region=europe-west1",
             f"--settings={self.folder / 'terraform.tfvars'}", f"--work={self.folder / 'work'}", *arguments],
            cwd=ROOT,
            env={"PATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", **self.environ},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip

    @property
    def calls(self) -> list[dict[str, Any]]:
        noted = self.folder / "calls.jsonl"
        return [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []

    def forget_calls(self) -> None:
        (self.folder / "calls.jsonl").unlink(missing_ok=True)

    @property
    def cloud(self) -> dict[str, Any]:
        cloud: dict[str, Any] = json.loads((self.folder / "cloud.json").read_text())
        return cloud

    def change(self, **changes: Any) -> None:
        (self.folder / "cloud.json").write_text(json.dumps(self.cloud | changes))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.install("terraform", "gcloud", "supabase")
    (tmp_path / "terraform.tfvars").write_text('supabase_url = "https://abcdefghijklmnopqrst.supabase.co"\n')
    return made


def words(call: dict[str, Any]) -> str:
    return " ".join([call["called"], *(word for word in call["arguments"] if not word.startswith("-chdir"))])


def where(calls: Sequence[dict[str, Any]], beginning: str) -> int:
    """Which of the calls is the first that begins so."""
    return next(number for number, call in enumerate(calls) if words(call).startswith(beginning))


def given(calls: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {call["arguments"][3]: call["given"] for call in calls if call["given"] is not None}


def test_from_nothing_everything_is_made_in_one_run(machine: Machine) -> None:
    done = machine.deploy()
    assert done.returncode == 0, done.stdout + done.stderr
    assert machine.cloud["buckets"] == ["my-project-tenths-state"]
    calls = machine.calls
    order = [
        *("gcloud services enable", "gcloud beta services identity", "gcloud storage buckets create", "terraform init"),
        *("terraform apply -target=module.secret", "gcloud secrets versions add", "supabase link", "supabase db push"),
    ]
    places = [where(calls, beginning) for beginning in order]
    assert places == sorted(places)
    assert "--project-ref=abcdefghijklmnopqrst" in calls[where(calls, "supabase link")]["arguments"]


def test_the_database_is_there_before_functions_that_need_it(machine: Machine) -> None:
    machine.deploy()
    calls = machine.calls
    (functions,) = (
        number
        for number, call in enumerate(calls)
        if words(call).startswith("terraform apply") and "-target=module.secret" not in call["arguments"]
    )
    assert where(calls, "supabase db push") < functions


def test_an_older_version_is_deployed_beside_a_newer_database(machine: Machine) -> None:
    machine.environ["REFUSED"] = "supabase db push"  # as the CLI does where it finds migrations that it doesn't know
    done = machine.deploy("--keep-database")
    assert done.returncode == 0, done.stdout + done.stderr
    assert where(machine.calls, "terraform apply -var") > 0
    assert [call for call in machine.calls if call["called"] == "supabase"] == []


def test_functions_do_not_follow_when_the_database_could_not(machine: Machine) -> None:
    machine.environ["REFUSED"] = "supabase db push"
    done = machine.deploy()
    assert done.returncode == 1
    assert "supabase db push" in done.stderr
    assert [call for call in machine.calls if words(call).startswith("terraform apply -var")] == []


def test_an_interrupted_deploy_goes_on_when_it_is_repeated(machine: Machine) -> None:
    machine.environ["REFUSED"] = "gcloud secrets versions add tenths-supabase"
    assert machine.deploy().returncode == 1
    before = machine.cloud["secrets"]["tenths-google-client-secret"]
    del machine.environ["REFUSED"]
    done = machine.deploy()
    assert done.returncode == 0, done.stdout + done.stderr
    assert machine.cloud["secrets"]["tenths-google-client-secret"] == before == {"1": "ENABLED"}


def test_a_second_deploy_makes_no_secret_and_no_bucket_anew(machine: Machine) -> None:
    machine.deploy()
    made = machine.cloud
    machine.forget_calls()
    assert machine.deploy().returncode == 0
    assert machine.cloud == made
    assert given(machine.calls) == {}
    assert not [call for call in machine.calls if "create" in call["arguments"] and "buckets" in call["arguments"]]


def test_keys_that_any_will_do_for_are_made_and_are_good_ones(machine: Machine) -> None:
    machine.deploy()
    added = given(machine.calls)
    Fernet(added["tenths-token-encryption-keys"])
    assert len(added["tenths-state-signing-key"]) >= 32
    assert added["tenths-google-client-secret"] == TYPED["GOOGLE_CLIENT_SECRET"]
    assert "tenths-openai-api-key" not in added


def test_no_secret_is_shown_written_or_on_a_command_line(machine: Machine) -> None:
    machine.environ["OPENAI_API_KEY"] = "sk-hush"
    done = machine.deploy()
    values = given(machine.calls).values()
    assert len(values) == 5
    files = "".join(path.read_text() for path in (machine.folder / "work").iterdir() if path.suffix == ".json")
    on_command_lines = json.dumps([call["arguments"] for call in machine.calls])
    for value in values:
        assert value not in done.stdout + done.stderr + files + on_command_lines


def test_a_key_that_cannot_be_looked_up_is_not_taken_for_one_that_is_not_there(machine: Machine) -> None:
    machine.deploy()
    machine.forget_calls()
    machine.environ["REFUSED"] = "gcloud secrets (versions )?list"
    assert machine.deploy().returncode == 1
    assert given(machine.calls) == {}


def test_a_key_whose_versions_are_all_off_is_not_replaced(machine: Machine) -> None:
    machine.deploy()
    off = {"1": "DISABLED"}
    machine.change(secrets=machine.cloud["secrets"] | {"tenths-token-encryption-keys": off})
    machine.forget_calls()
    done = machine.deploy()
    assert done.returncode == 1
    assert "tenths-token-encryption-keys is disabled" in done.stderr
    assert given(machine.calls) == {}


def test_functions_are_given_the_newest_version_of_each_secret_that_is_on(machine: Machine) -> None:
    machine.deploy()
    turned = {"9": "ENABLED", "10": "ENABLED", "11": "DISABLED"}
    machine.change(secrets=machine.cloud["secrets"] | {"tenths-supabase-secret-key": turned})
    machine.deploy()
    versions = json.loads((machine.folder / "work" / "secret-versions.tfvars.json").read_text())["secret_versions"]
    assert versions == {
        "GOOGLE_CLIENT_SECRET": "1",
        "STATE_SIGNING_KEY": "1",
        "SUPABASE_SECRET_KEY": "10",
        "TOKEN_ENCRYPTION_KEYS": "1",
    }


def test_all_missing_programs_are_named_at_once_with_where_they_come_from(machine: Machine) -> None:
    for name in ("gcloud", "supabase"):
        (machine.folder / name).unlink()
    done = machine.deploy()
    assert done.returncode == 1
    assert "gcloud: " in done.stderr
    assert "supabase: " in done.stderr
    assert "terraform: " not in done.stderr
    assert machine.calls == []


def test_missing_settings_are_named(machine: Machine) -> None:
    (machine.folder / "terraform.tfvars").unlink()
    done = machine.deploy()
    assert done.returncode == 1
    assert "terraform.tfvars.example" in done.stderr
    assert machine.calls == []


def test_a_rehearsal_shows_every_command_and_runs_none(machine: Machine) -> None:
    done = machine.deploy("--dry-run")
    assert done.returncode == 0, done.stderr
    assert machine.calls == []
    for command in ("gcloud services enable", "terraform -chdir=infra/terraform apply", "supabase db push"):
        assert command in done.stdout
    assert not (machine.folder / "work" / "secret-versions.tfvars.json").exists()


def test_a_rehearsal_needs_no_program_and_no_settings(machine: Machine) -> None:
    for path in list(machine.folder.iterdir()):
        path.unlink()
    assert machine.deploy("--dry-run").returncode == 0


def test_nothing_is_taken_down_unless_the_project_is_typed(machine: Machine) -> None:
    machine.deploy()
    machine.forget_calls()
    done = machine.deploy(command="destroy", typed="yes\n")
    assert done.returncode == 1
    assert machine.calls == []
    done = machine.deploy(command="destroy", typed="my-project\n")
    assert done.returncode == 0, done.stderr
    assert [words(call).split(" -")[0] for call in machine.calls][-1] == "terraform destroy"
    assert "supabase" not in {call["called"] for call in machine.calls}
