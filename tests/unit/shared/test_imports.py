"""Dependencies point inwards, and what a function doesn't need it doesn't load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CORE = ["shared/mail", "shared/extraction"]
OUTSIDE = {
    "asyncio",
    "httpx",
    "socket",
    "subprocess",
    "time",
    "os",
    "random",
    "structlog",
    "grpc",
    "postgrest",
    "googleapiclient",
    "openai",
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def modules(folder: str) -> list[Path]:
    found = [path for path in (ROOT / folder).rglob("*.py") if path.name != "__main__.py"]
    assert found
    return found


@pytest.mark.parametrize("folder", CORE)
def test_the_core_reads_no_clock_no_setting_and_nothing_outside(folder: str) -> None:
    allowed = ("shared.mail", "shared.extraction", "shared.models", "shared.errors")
    for path in modules(folder):
        names = imported(path)
        assert not {name.partition(".")[0] for name in names} & OUTSIDE, path
        assert all(name.startswith(allowed) for name in names if name.startswith("shared")), path


@pytest.mark.parametrize("folder", ["shared", "functions"])
def test_nothing_that_deploys_leans_on_tests_or_on_the_one_machine(folder: str) -> None:
    for path in modules(folder):
        assert not {name.partition(".")[0] for name in imported(path)} & {"infra", "tests", "main"}, path


def test_shared_knows_nothing_of_functions_and_only_wiring_builds_handlers() -> None:
    for path in modules("shared"):
        names = imported(path)
        assert not any(name.startswith("functions") for name in names), path
        if path.name != "wiring.py" and path.parent.name != "handlers":
            assert not any(name.startswith("shared.handlers") for name in names), path


@pytest.mark.parametrize(
    ("handler", "spared"),
    [
        ("gmail_push", "shared.extraction"),
        ("gmail_push", "shared.llm"),
        ("analyze_email", "grpc"),
        ("analyze_email", "google.pubsub_v1"),
        ("analyze_email", "shared.llm"),
        ("analyze_email", "openai"),
    ],
)
def test_a_function_loads_only_what_it_needs(handler: str, spared: str) -> None:
    program = (
        "import sys, main, shared.wiring, importlib;"
        f"importlib.import_module('shared.handlers.{handler}');"
        f"sys.exit({spared!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_a_model_to_ask_costs_its_library_only_once_it_is_asked() -> None:
    program = (
        "import sys, shared.wiring;"
        "from shared.llm.client import ChatClient, ModelApi; from shared.llm.judge import Judge;"
        "from shared.llm.budget import Budget; from pydantic import SecretStr;"
        "Judge(ChatClient(ModelApi(SecretStr('x'), 'http://127.0.0.1:9', 'm')), budget=Budget());"
        "sys.exit('openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
