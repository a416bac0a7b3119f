"""A deploy, step by step. Each can be repeated: whoever is interrupted starts again from the beginning."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.deploy import secrets, source
from infra.deploy.commands import Commands

ROOT: Final = Path(__file__).resolve().parents[2]
TERRAFORM: Final = ROOT / "infra" / "terraform"
SETTINGS: Final = TERRAFORM / "terraform.tfvars"
WORK: Final = ROOT / ".local" / "deploy"


@dataclass(frozen=True, slots=True)
class Place:
    """Where to deploy to: a project and a region of Google Cloud, and a Supabase project by its reference.

    What is made on the way (the zip, the versions of the secrets) goes to `work`, a folder that git ignores.
    """

    project: str
    region: str
    supabase: str
    work: Path
    approved: bool = False
    """Terraform doesn't ask once more."""
    keeps_database: bool = False
    """Its migrations stay as they are: the Supabase CLI refuses where there are some that this version doesn't know."""

    @property
    def source_zip(self) -> Path:
        return self.work / "source.zip"

    @property
    def versions(self) -> Path:
        return self.work / "secret-versions.tfvars.json"

    @property
    def state_bucket(self) -> str:
        return f"{self.project}-tenths-state"


def deploy(place: Place, commands: Commands, environ: Mapping[str, str] = os.environ) -> None:
    """From a Google Cloud project and a Supabase project to a system that runs. Raises CommandFailed."""
    _say("1. What deploys")
    source.build(ROOT, place.source_zip)
    print(f"  {place.source_zip} ({place.source_zip.stat().st_size // 1024} kB)")

    _say("2. The project's APIs, and the bucket of Terraform's state")
    _prepare_project(place, commands)
    _initialise(place, commands)

    _say("3. Secrets")
    _fill_secrets(place, commands, environ)

    # The database first: migrations only add, so the functions that run now go on working on the newer schema, while
    # new ones would fail on the older.
    _say("4. The database")
    if place.keeps_database:
        print("  stays as it is")
    else:
        commands.run(["supabase", "link", f"--project-ref={place.supabase}"])
        commands.run(["supabase", "db", "push", *(["--yes"] if place.approved else [])])

    _say("5. Functions, topics, jobs, alerts")
    commands.run([*_terraform("apply"), *_variables(place), *(["-auto-approve"] if place.approved else [])])

    _say("Deployed. What is left to do (docs/deploy.md says how):")
    commands.run(_terraform("output"))
    print(
        "  - register `oauth_redirect_uri` with the OAuth client, and consent for gmail.readonly\n"
        "  - point your client at `function_urls`\n"
        "  - let Supabase send people back to your client (Authentication, URL Configuration)\n"
        "  - connect a mailbox, send an email with a time in it, and see its entry"
    )


def destroy(place: Place, commands: Commands) -> None:
    """Take everything of Google Cloud down that a deploy made, but the state's bucket. Raises CommandFailed."""
    source.build(ROOT, place.source_zip)  # the configuration reads it, also to forget it
    _initialise(place, commands)
    # What never got a value has none to name, and is taken down all the same.
    numbers = dict.fromkeys(secrets.SECRETS, "0") | secrets.versions(commands, place.project)
    commands.write(place.versions, json.dumps({"secret_versions": numbers}, indent=2) + "\n")
    commands.run([*_terraform("destroy"), *_variables(place), *(["-auto-approve"] if place.approved else [])])


def _prepare_project(place: Place, commands: Commands) -> None:
    apis: list[str] = json.loads((TERRAFORM / "apis.json").read_text())
    project = f"--project={place.project}"
    commands.run(["gcloud", "services", "enable", *apis, project])
    # Pub/Sub's own account exists from its first use on: too late for the rights that it is given here.
    commands.run(
        ["gcloud", "beta", "services", "identity", "create", "--service=pubsub.googleapis.com", project, "--quiet"]
    )
    buckets = commands.answer(["gcloud", "storage", "buckets", "list", project, "--format=value(name)"], assumed="")
    bucket = f"gs://{place.state_bucket}"
    if place.state_bucket not in buckets.split():
        commands.run(
            [
                "gcloud", "storage", "buckets", "create", bucket, project, f"--location={place.region}",
                "--uniform-bucket-level-access", "--public-access-prevention",
            ]
        )  # fmt: skip
    commands.run(["gcloud", "storage", "buckets", "update", bucket, project, "--versioning"])


def _initialise(place: Place, commands: Commands) -> None:
    commands.run(
        [
            *_terraform("init"), "-input=false", "-reconfigure",
            f"-backend-config=bucket={place.state_bucket}", "-backend-config=prefix=tenths",
        ]
    )  # fmt: skip
    commands.run(_terraform("validate"))


def _fill_secrets(place: Place, commands: Commands, environ: Mapping[str, str]) -> None:
    """Every required secret has a version afterwards, and the functions' configuration names the newest of each."""
    known = _note_versions(place, commands)
    lacking = [name for name in secrets.SECRETS if name not in known]
    if any(secrets.SECRETS[name].required for name in lacking):
        # The places first, without the functions, which don't start before there are values.
        commands.run([*_terraform("apply"), "-target=module.secret", *_variables(place), "-auto-approve"])
    added = False
    for name in lacking:
        if value := secrets.first_value(name, environ):
            secrets.add_version(commands, place.project, name, value)
            added = True
    if added:
        _note_versions(place, commands)


def _note_versions(place: Place, commands: Commands) -> dict[str, str]:
    known = secrets.versions(commands, place.project)
    commands.write(place.versions, json.dumps({"secret_versions": known}, indent=2) + "\n")
    return known


def _terraform(command: str) -> list[str]:
    return ["terraform", f"-chdir={TERRAFORM.relative_to(ROOT)}", command]


def _variables(place: Place) -> list[str]:
    return [
        f"-var=project={place.project}", f"-var=region={place.region}",
        f"-var=source_zip={place.source_zip}", f"-var-file={place.versions}",
    ]  # fmt: skip


def _say(what: str) -> None:
    print(f"\n{what}", flush=True)
