"""The chat as npm's own `ai` package reads it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.parts import PartFailed
from tests.integration.chat.ai_package import Node, ai_package
from tests.integration.chat.chat_tools import EVIDENCE, Chat
from tests.integration.chat.conftest import Talker

READ = Path(__file__).parent / "ai_sdk" / "read.mjs"
HOURS = {"minutes": 90, "days": 3, "extracted_text": EVIDENCE}


@pytest.fixture(scope="session")
def node() -> Node:
    return ai_package()


async def talk(node: Node, api: str, *questions: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(node.program, str(READ), str(node.folder), api, *questions),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problems = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, problems.decode()
    read: dict[str, Any] = json.loads(out)
    return read


def tool_parts(message: dict[str, Any]) -> list[tuple[str, str, Any]]:
    return [
        (part["type"], part["state"], part.get("output", part.get("errorText")))
        for part in message["parts"]
        if part["type"].startswith("tool-")
    ]


def text(message: dict[str, Any]) -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


async def test_use_chat_reads_tools_and_text(node: Node, api: str, chat: Chat, talker: Talker) -> None:
    chat.firm.go.set()
    await talker.turn_of("How many", "Let me look.", ("get_hours", {"days": 3}), ("wait_for_us", {}))
    await talker.turn("went on", say="90 minutes, as it says.")
    read = await talk(node, api, "How many hours?")
    _, answer = read["messages"]
    assert answer["role"] == "assistant"
    assert answer["id"].startswith("msg_")
    assert tool_parts(answer) == [
        ("tool-get_hours", "output-available", HOURS),
        ("tool-wait_for_us", "output-available", {"said": "went on"}),
    ]
    assert text(answer) == "Let me look.90 minutes, as it says."
    assert [part["type"] for part in answer["parts"]].count("step-start") == 2
    assert [{**each, "toolCallId": ""} for each in read["progress"]] == [
        {"done": 3, "total": 10, "entries": 1, "toolCallId": ""}
    ]
    assert read["errors"] == []


async def test_what_use_chat_kept_is_taken_back_in_the_next_turn(node: Node, api: str, talker: Talker) -> None:
    await talker.turn_of("How many", None, ("get_hours", {"days": 3}), ("refuse", {}), ("get_hours", {"days": 99}))
    await talker.turn('"error"', say="90 minutes.")
    await talker.turn("Sure", say="Quite sure.")
    read = await talk(node, api, "How many hours?", "Sure?")
    assert [state for _, state, _ in tool_parts(read["messages"][1])] == [
        "output-available",
        "output-error",
        "output-error",
    ]
    assert text(read["messages"][3]) == "Quite sure."
    *_, heard = await talker.heard()
    assert [message["role"][0] for message in heard] == ["s", "u", "a", "t", "t", "t", "a", "u"]
    assert json.loads(heard[3]["content"]) == HOURS
    assert json.loads(heard[4]["content"])["error"]["message"] == "the mailbox isn't connected"


async def test_use_chat_is_told_of_an_answer_that_breaks_and_can_go_on(node: Node, api: str, talker: Talker) -> None:
    await talker.turn_of("How many", None, ("get_hours", '{"days": 3' + " " * 200 + "}"))
    await talker.simulated.fault("stream_cut")
    await talker.turn("Again", say="90 minutes.")
    read = await talk(node, api, "How many hours?", "Again, please")
    assert read["errors"] == ["The assistant can't be reached right now. Please try again in a minute."]
    assert tool_parts(read["messages"][1]) == [("tool-get_hours", "output-error", "not finished")]
    assert text(read["messages"][3]) == "90 minutes."


def test_a_failing_download_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("npm", "node"):
        script = tmp_path / program
        script.write_text("#!/bin/sh\necho 'npm error code ECONNREFUSED' >&2; exit 1\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(PartFailed) as failure:
        ai_package()
    assert str(failure.value).startswith("ai: can't be downloaded, `")
    assert str(failure.value).endswith("npm error code ECONNREFUSED")
    assert not (tmp_path / "cache" / "tenths" / "ai-7.0.173" / "installed").exists()
