"""Documents name files and settings that there are."""

import re
from pathlib import Path

import pytest

import shared.settings
from shared.settings import FromEnviron

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "infra" / "terraform").rglob("*.md")]


def anchors(document: Path) -> set[str]:
    """What a link may point at within it, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_setting_is_described_once_and_nothing_else_is() -> None:
    kinds = [
        kind for kind in vars(shared.settings).values() if isinstance(kind, type) and issubclass(kind, FromEnviron)
    ]
    fields = {name.upper() for kind in kinds for name in kind.model_fields}
    rows = re.findall(r"^\| (`[^|]*) \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    described = [name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)]
    assert sorted(described) == sorted(fields)
