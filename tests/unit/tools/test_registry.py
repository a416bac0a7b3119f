"""One model gives the schema that a language model is shown and the check of what comes back."""

import json
from typing import Annotated, Any
from uuid import uuid4

import pytest
from pydantic import Field, SecretStr

from infra.local.openai.strict import check_format
from shared.caller import Caller
from shared.errors import InvalidArguments, NotFound
from shared.models import AnalysisMode, EntryType
from shared.tools import analyze, configure, scan, summary
from shared.tools.registry import Arguments, Report, Tool, ToolAnswer, Toolbox

CALLER = Caller(uuid4(), SecretStr("token"))


class Inner(Arguments):
    name: str
    note: str | None = None


class Given(Arguments):
    days: Annotated[int, Field(ge=1, le=30, description="How many.")] = 7
    kind: EntryType | None = None
    inner: tuple[Inner, ...] = ()


class Echo(ToolAnswer):
    given: Given

    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:
        return {"days": self.given.days, "mode": mode}


async def echo(_caller: Caller, arguments: Given, _report: Report) -> Echo:
    return Echo(given=arguments)


TOOLBOX = Toolbox([Tool("echo", "Says it back.", Given, echo)])


@pytest.mark.parametrize(
    ("sent", "days"),
    [(b"{}", 7), (b"", 7), (b'{"days": null}', 7), ('{"days": 3, "kind": null}', 3)],
)
async def test_what_is_null_or_left_out_has_its_default(sent: bytes | str, days: int) -> None:
    answer = await TOOLBOX.call(CALLER, "echo", sent)
    assert answer == Echo(given=Given(days=days))


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": 31}, "days"),
        ({"days": "7"}, "days"),
        ({"days": 7.5}, "days"),
        ({"days": True}, "days"),
        ({"kind": "lunch"}, "kind"),
        ({"dayz": 7}, "dayz"),
        ({"dayz": None}, "dayz"),
        ({"inner": [{"note": "x"}]}, "inner.0.name"),
        ({"inner": [{"name": "x", "more": 1}]}, "inner.0.more"),
        ([], "body"),
        ("x", "body"),
    ],
)
async def test_what_is_wrong_is_named(sent: Any, field: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        await TOOLBOX.call(CALLER, "echo", json.dumps(sent))
    assert field in [error.field for error in refused.value.errors]


@pytest.mark.parametrize("sent", [b"{", b'{"days": NaN}', b"\xff\xfe", b'{"days": 1e400}', b"[" * 10_000])
async def test_what_is_no_json_is_refused(sent: bytes) -> None:
    with pytest.raises(InvalidArguments):
        await TOOLBOX.call(CALLER, "echo", sent)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"inner": [{"name": "a\x00"}]}, "inner"),
        ({"inner": [{"name": "a"}, {"name": "b", "note": "\x00"}]}, "inner"),
    ],
)
async def test_what_holds_a_nul_is_named_by_its_argument(sent: Any, field: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        await TOOLBOX.call(CALLER, "echo", json.dumps(sent))
    assert [error.field for error in refused.value.errors] == [field]


async def test_an_unknown_tool_is_not_found() -> None:
    with pytest.raises(NotFound, match="echo"):
        await TOOLBOX.call(CALLER, "exec", b"{}")


@pytest.mark.parametrize(
    "arguments",
    [scan.ScanArguments, analyze.AnalyzeArguments, summary.SummaryArguments, configure.ConfigureArguments, Given],
)
def test_every_schema_is_one_that_strict_functions_take(arguments: type[Arguments]) -> None:
    schema = Tool("tool", "", arguments, echo).schema()["function"]["parameters"]  # type: ignore[arg-type]  # never run
    check_format("tool", schema, strict=True)


def test_an_optional_argument_may_be_null_and_its_default_is_told() -> None:
    [schema] = TOOLBOX.schemas()
    parameters = schema["function"]["parameters"]
    assert set(parameters["required"]) == {"days", "kind", "inner"}
    assert parameters["properties"]["days"] == {
        "anyOf": [{"maximum": 30, "minimum": 1, "type": "integer"}, {"type": "null"}],
        "description": "How many. Null: 7.",
    }
