"""Secrets: which there are, which lack a value, and where a first value comes from.

No value is printed, written to a file or passed on a command line.
"""

import getpass
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography.fernet import Fernet

from infra.deploy.commands import CommandFailed, Commands


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret: whether the functions need it, what it is for, how to make one where any will do."""

    required: bool
    meaning: str
    make: Callable[[], str] | None = None


# The same names as in infra/terraform/secrets.tf; a test holds the two together.
SECRETS: Final[Mapping[str, Secret]] = MappingProxyType(
    {
        "GOOGLE_CLIENT_SECRET": Secret(required=True, meaning="the OAuth client's secret"),
        "OPENAI_API_KEY": Secret(required=False, meaning="key of the language model's API"),
        "REDIS_URL": Secret(required=False, meaning="rediss:// URL of a Redis or Valkey that the functions reach"),
        "STATE_SIGNING_KEY": Secret(
            required=True, meaning="signs the state of mailbox connections", make=lambda: secrets.token_urlsafe(48)
        ),
        "SUPABASE_SECRET_KEY": Secret(required=True, meaning="the Supabase project's secret key (sb_secret_...)"),
        "TOKEN_ENCRYPTION_KEYS": Secret(
            required=True, meaning="encrypts refresh tokens", make=lambda: Fernet.generate_key().decode()
        ),
    }
)


def secret_id(name: str) -> str:
    """What Secret Manager knows it by."""
    return f"tenths-{name.lower().replace('_', '-')}"


def versions(commands: Commands, project: str) -> dict[str, str]:
    """Number of the newest enabled version of each secret that has one. Raises CommandFailed.

    A secret all of whose versions are off is not one without a value: a new encryption key in its place would make
    every stored token unreadable.
    """
    required = [secret_id(name) for name, secret in SECRETS.items() if secret.required]
    there = _names(
        commands,
        ["gcloud", "secrets", "list", f"--project={project}", "--format=json"],
        assumed=[{"name": name} for name in required],
    )
    return {
        name: number for name in SECRETS if secret_id(name) in there and (number := _newest(commands, project, name))
    }


def _newest(commands: Commands, project: str, name: str) -> str | None:
    listed = _names(
        commands,
        ["gcloud", "secrets", "versions", "list", secret_id(name), f"--project={project}", "--format=json"],
        assumed=[{"name": "1", "state": "ENABLED"}],
    )
    enabled = [int(number) for number, state in listed.items() if state == "ENABLED"]
    if SECRETS[name].required and listed and not enabled:
        raise CommandFailed(
            f"every version of {secret_id(name)} is disabled or destroyed: enable one, or add one by hand"
        )
    return str(max(enabled)) if enabled else None


def _names(commands: Commands, command: list[str], assumed: list[dict[str, str]]) -> dict[str, str]:
    """What is listed, by the last part of its full name, each with its state if it has one."""
    listed: list[dict[str, str]] = json.loads(commands.answer(command, assumed=json.dumps(assumed)))
    return {one["name"].rsplit("/", 1)[-1]: one.get("state", "") for one in listed}


def first_value(name: str, environ: Mapping[str, str]) -> str | None:
    """A first value: from the environment, made here, or typed in. None for one that may be left out."""
    secret = SECRETS[name]
    if given := environ.get(name):
        return given
    if not secret.required:
        return None
    if secret.make is not None:
        return secret.make()
    while not (typed := getpass.getpass(f"{name} ({secret.meaning}): ").strip()):
        print(f"{name} is needed.")
    return typed


def add_version(commands: Commands, project: str, name: str, value: str) -> None:
    """Raises CommandFailed."""
    commands.run(
        ["gcloud", "secrets", "versions", "add", secret_id(name), f"--project={project}", "--data-file=-"], given=value
    )
