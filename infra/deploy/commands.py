"""How the outside is reached: commands that run, or, in a rehearsal, commands that are shown.

Running programs is what this is for: fixed ones, their arguments as a list and never through a shell.
"""

import shlex
import shutil
import subprocess  # nosec B404
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

# What each is for, and where it comes from: what a person is told who has none.
TOOLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "terraform": "Terraform 1.9 or newer: https://developer.hashicorp.com/terraform/install",
        "gcloud": "Google Cloud CLI, then `gcloud auth login` and `gcloud auth application-default login`: "
        "https://cloud.google.com/sdk/docs/install",
        "supabase": "Supabase CLI, then `supabase login`: https://supabase.com/docs/guides/local-development/cli",
    }
)


class CommandFailed(Exception):
    """A command could not do its work, or what it found is not what a deploy can go on from."""


def missing_tools() -> list[str]:
    """A line for each program that isn't on the PATH: its name, and where it comes from."""
    return [f"{name}: {source}" for name, source in TOOLS.items() if shutil.which(name) is None]


class Commands(Protocol):
    """What a deploy does to the outside."""

    def run(self, command: Sequence[str], given: str | None = None) -> None:
        """Run and wait; `given` goes to its standard input and is shown nowhere. Raises CommandFailed."""

    def answer(self, command: Sequence[str], assumed: str) -> str:
        """What the command prints. A rehearsal, which asks nobody, has `assumed`.

        Raises CommandFailed: what couldn't be asked must not be taken for what isn't there.
        """

    def write(self, path: Path, text: str) -> None:
        """Write a file, making its folder."""


class Real:
    """Runs them in one folder, with what they print going to the terminal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, command: Sequence[str], given: str | None = None) -> None:
        print(f"\n$ {shlex.join(command)}", flush=True)
        done = subprocess.run(command, cwd=self._folder, input=given, text=True, check=False)  # nosec B603
        self._done(done)

    def answer(self, command: Sequence[str], assumed: str) -> str:
        del assumed
        done = subprocess.run(command, cwd=self._folder, stdout=subprocess.PIPE, text=True, check=False)  # nosec B603
        self._done(done)
        return done.stdout.strip()

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _done(self, done: "subprocess.CompletedProcess[str]") -> None:
        if done.returncode != 0:
            raise CommandFailed(f"this ended with status {done.returncode}: {shlex.join(done.args)}")


class Rehearsed:
    """Shows what would be run, and runs nothing."""

    def run(self, command: Sequence[str], given: str | None = None) -> None:
        print(f"  {shlex.join(command)}{'' if given is None else '   (the secret on standard input)'}")

    def answer(self, command: Sequence[str], assumed: str) -> str:
        print(f"  {shlex.join(command)}   (assumed: {assumed or 'nothing'})")
        return assumed

    def write(self, path: Path, text: str) -> None:
        print(f"  writes {path}: {' '.join(text.split())}")
