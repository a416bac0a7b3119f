"""infra/terraform as it is written: parsed, not run. Values that Terraform works out stay what they are, `${...}`."""

from pathlib import Path
from typing import Any, Final

import hcl2
from hcl2.utils import SerializationOptions

ROOT: Final = Path(__file__).parents[3]
TERRAFORM: Final = ROOT / "infra" / "terraform"
FILES: Final = sorted(TERRAFORM.rglob("*.tf"))

_PLAIN: Final = SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)


def parsed(path: Path) -> dict[str, Any]:
    with path.open() as file:
        document: dict[str, Any] = hcl2.load(file, serialization_options=_PLAIN)
    return document


class Folder:
    """The files of one folder: its locals, and its blocks by type and name."""

    def __init__(self, folder: Path) -> None:
        self.locals: dict[str, Any] = {}
        self.modules: dict[str, dict[str, Any]] = {}
        self.resources: dict[tuple[str, str], dict[str, Any]] = {}
        self.variables: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.glob("*.tf")):
            document = parsed(path)
            for group in document.get("locals", []):
                self.locals |= group
            for kind, into in (("module", self.modules), ("variable", self.variables), ("output", self.outputs)):
                for block in document.get(kind, []):
                    into |= {_bare(name): body for name, body in block.items()}
            for block in document.get("resource", []):
                for kind, named in block.items():
                    self.resources |= {(_bare(kind), _bare(name)): body for name, body in named.items()}

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of one type, by name."""
        return {name: body for (found, name), body in self.resources.items() if found == kind}


def _bare(name: str) -> str:
    return name.strip('"')


root: Final = Folder(TERRAFORM)


def module(name: str) -> Folder:
    return Folder(TERRAFORM / "modules" / name)
