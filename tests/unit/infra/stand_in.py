"""Stands in for terraform, gcloud and supabase, as far as a deploy uses them.

It keeps in a file what was made, notes each call with what came on standard input, and refuses whatever it doesn't
know. Which program it is, its first argument says.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

REQUIRED = {"GOOGLE_CLIENT_SECRET", "STATE_SIGNING_KEY", "SUPABASE_SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"}
PLACES = [*REQUIRED, "OPENAI_API_KEY", "REDIS_URL"]


def main(folder: Path, called: str, arguments: list[str]) -> str:
    kept = folder / "cloud.json"
    cloud: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {"buckets": [], "secrets": {}}
    given = sys.stdin.read() if "--data-file=-" in arguments else None
    with (folder / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"called": called, "arguments": arguments, "given": given}) + "\n")
    words = " ".join([called, *(word for word in arguments if not word.startswith("-"))])
    if (refused := os.environ.get("REFUSED")) and re.match(refused, words):
        sys.exit(3)
    answer = ANSWERS[next(pattern for pattern in ANSWERS if re.match(pattern, words))](cloud, arguments, given)
    kept.write_text(json.dumps(cloud))
    return answer


def secret_of(arguments: list[str]) -> str:
    return next(word for word in arguments if word.startswith("tenths-"))


def list_secrets(cloud: dict[str, Any], _arguments: list[str], _given: str | None) -> str:
    return json.dumps([{"name": f"projects/1/secrets/{name}"} for name in cloud["secrets"]])


def list_versions(cloud: dict[str, Any], arguments: list[str], _given: str | None) -> str:
    versions = cloud["secrets"][secret_of(arguments)]
    return json.dumps([{"name": f"projects/1/secrets/s/versions/{n}", "state": s} for n, s in versions.items()])


def add_version(cloud: dict[str, Any], arguments: list[str], given: str | None) -> str:
    if not given:
        sys.exit(4)
    versions = cloud["secrets"][secret_of(arguments)]
    versions[str(len(versions) + 1)] = "ENABLED"
    return ""


def create_bucket(cloud: dict[str, Any], arguments: list[str], _given: str | None) -> str:
    name = next(word for word in arguments if word.startswith("gs://")).removeprefix("gs://")
    if name in cloud["buckets"]:
        sys.exit(5)
    cloud["buckets"].append(name)
    return ""


def initialise(cloud: dict[str, Any], arguments: list[str], _given: str | None) -> str:
    if not any(f"-backend-config=bucket={name}" in arguments for name in cloud["buckets"]):
        sys.exit(6)
    return ""


def apply(cloud: dict[str, Any], arguments: list[str], _given: str | None) -> str:
    """The functions don't start without secrets; the secrets' places are there after any apply."""
    (settings,) = (word.removeprefix("-var-file=") for word in arguments if word.startswith("-var-file="))
    versions = json.loads(Path(settings).read_text())["secret_versions"]
    if "-target=module.secret" not in arguments and not versions.keys() >= REQUIRED:
        sys.exit(7)
    for name in PLACES:
        cloud["secrets"].setdefault(f"tenths-{name.lower().replace('_', '-')}", {})
    return ""


def nothing(_cloud: dict[str, Any], _arguments: list[str], _given: str | None) -> str:
    return ""


ANSWERS = {
    r"gcloud services enable (\S+\.googleapis\.com ?)+$": nothing,
    r"gcloud beta services identity create$": nothing,
    r"gcloud storage buckets list$": lambda cloud, *_: "\n".join(cloud["buckets"]),
    r"gcloud storage buckets create gs://\S+$": create_bucket,
    r"gcloud storage buckets update gs://\S+$": nothing,
    r"gcloud secrets list$": list_secrets,
    r"gcloud secrets versions list tenths-\S+$": list_versions,
    r"gcloud secrets versions add tenths-\S+$": add_version,
    r"terraform init$": initialise,
    r"terraform (validate|output)$": nothing,
    r"terraform apply$": apply,
    r"terraform destroy$": apply,
    r"supabase link$": nothing,
    r"supabase db push$": nothing,
}

if __name__ == "__main__":
    program = Path(sys.argv[1])
    print(main(program.parent, program.name, sys.argv[2:]))  # noqa: T201  a program's answer
