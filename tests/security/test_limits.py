"""No request is too large, too deep or too odd to be refused in a few words; asked of the functions' own servers.

Google's front end would refuse some of it before; what is behind it must not depend on that.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from functions import answering, delivery, mailbox, my_data, rescans, tools
from infra.local.google_identity import PUSH_ACCOUNT, SCHEDULER_ACCOUNT
from infra.local.stack import FUNCTIONS, PUSHED, SCHEDULED, User
from tests.e2e.asking import problem
from tests.e2e.conftest import Running

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@dataclass(frozen=True)
class Taking:
    """An endpoint that takes a body, and how much of it."""

    function: str
    method: str
    path: str
    most: int


TAKING: Final = (
    Taking("tools", "POST", "/tools/analyze_time_entry", answering.MOST_BYTES),
    Taking("tools", "POST", "/tools/configure_time_tracking", answering.MOST_BYTES),
    Taking("tools", "POST", "/chat", tools.MOST_CHAT_BYTES),
    Taking("rescans", "POST", "/rescans", rescans.MOST_BYTES),
    Taking("mailbox", "POST", "/mailbox/connect", mailbox.MOST_BYTES),
    Taking("mailbox", "POST", "/mailbox/finish", mailbox.MOST_BYTES),
    Taking("mailbox", "POST", "/mailbox/delegate", mailbox.MOST_BYTES),
    Taking("my_data", "DELETE", "/my_data", my_data.MOST_BYTES),
)


@pytest.fixture(scope="session")
async def user(running: Running) -> User:
    return await running.stack.add_user("limits@whitfieldlaw.example")


@dataclass(frozen=True)
class Server:
    """One function's own server, and who may call it."""

    port: int
    token: str
    http: httpx.AsyncClient

    async def raw(self, head: bytes, *pieces: bytes) -> bytes:
        """What it answers to these bytes, of a request that never ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(head)
            for piece in pieces:
                writer.write(piece)
            # Whoever is refused is told before all is said: nothing here waits until these bytes are read.
            async with asyncio.timeout(30):
                return await reader.readuntil(b"\r\n\r\n")
        finally:
            writer.transport.abort()


@pytest.fixture
async def servers(running: Running, user: User) -> AsyncIterator[dict[str, Server]]:
    stack = running.stack
    found = {}
    for function in FUNCTIONS:
        token = user.token
        if function in PUSHED or function in SCHEDULED:
            account = SCHEDULER_ACCOUNT if function in SCHEDULED else PUSH_ACCOUNT
            token = stack.identity.token(stack.gateway.functions_url, account)
        port = stack._function_ports[function]
        headers = {"Authorization": f"Bearer {token}"}
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60)
        found[function] = Server(port, token, client)
    yield found
    for server in found.values():
        await server.http.aclose()


def quiet(answer: httpx.Response) -> None:
    """Nothing of the machine's insides."""
    for word in ("Traceback", 'File "', ".py", "site-packages", "pydantic"):
        assert word not in answer.text, answer.text[:500]
    assert answer.status_code < 500, answer.text[:500]


def id_of(taking: Taking) -> str:
    return f"{taking.method} {taking.path}"


@pytest.mark.parametrize("taking", TAKING, ids=id_of)
async def test_a_body_that_is_too_large_is_refused_by_its_length(servers: dict[str, Server], taking: Taking) -> None:
    http = servers[taking.function].http
    answer = await http.request(taking.method, taking.path, content=b" " * (taking.most + 1))
    assert (answer.status_code, problem(answer)["type"]) == (413, "urn:tenths:problem:request_too_large")
    fits = await http.request(taking.method, taking.path, content=b"[" + b" " * (taking.most - 1))
    assert (fits.status_code, problem(fits)["type"]) == (422, "urn:tenths:problem:invalid_arguments"), (
        "one that isn't, is read"
    )


@pytest.mark.parametrize("taking", TAKING, ids=id_of)
async def test_a_body_that_never_says_its_length_is_refused_while_it_comes(
    servers: dict[str, Server], taking: Taking
) -> None:
    server = servers[taking.function]
    piece = b" " * 1024
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    head = (
        f"{taking.method} {taking.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = await server.raw(head.encode(), *[chunk] * (taking.most // len(piece) + 1))
    assert answer.startswith(b"HTTP/1.1 413"), answer


@pytest.mark.parametrize("taking", TAKING, ids=id_of)
async def test_nothing_is_read_of_who_may_not_ask(servers: dict[str, Server], taking: Taking) -> None:
    head = f"{taking.method} {taking.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    answer = await servers[taking.function].raw(head.encode())
    assert answer.startswith(b"HTTP/1.1 401"), answer


@pytest.mark.parametrize("function", PUSHED)
async def test_a_delivery_that_is_too_large_is_acked_as_none(servers: dict[str, Server], function: str) -> None:
    answer = await servers[function].http.post(f"/{function}", content=b" " * (delivery.MOST_BYTES + 1))
    assert (answer.status_code, answer.content) == (delivery.ACK, b""), "tried again it would be no smaller"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"messages":[{"parts":[', b'{"text":'])
@pytest.mark.parametrize("taking", TAKING, ids=id_of)
async def test_json_that_is_nested_without_end_is_refused_as_any_other_that_is_wrong(
    servers: dict[str, Server], taking: Taking, opening: bytes
) -> None:
    repeated = opening + b"[" * (taking.most - len(opening)) if opening.endswith((b"[", b":")) else opening
    closed = opening + b"[" * ((taking.most - 100) // 2) + b"]" * ((taking.most - 100) // 2)
    for body in (repeated, closed, opening * (taking.most // len(opening))):
        answer = await servers[taking.function].http.request(taking.method, taking.path, content=body)
        quiet(answer)
        assert problem(answer)["status"] == 422


@pytest.mark.parametrize("function", PUSHED)
async def test_a_delivery_that_is_nested_without_end_is_acked_as_none(
    servers: dict[str, Server], function: str
) -> None:
    for body in (b"[" * 250_000, b'{"message":' * 20_000, b'{"message":{"data":' + b"[" * 200_000):
        answer = await servers[function].http.post(f"/{function}", content=body)
        assert (answer.status_code, answer.content) == (delivery.ACK, b"")


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_headers_and_queries_without_measure_break_nothing(servers: dict[str, Server], function: str) -> None:
    server = servers[function]
    long = "x" * 60_000
    quiet(await server.http.get(f"/{function}", params={"q": long}))
    quiet(await server.http.get(f"/{function}", headers={"Authorization": f"Bearer {long}"}))
    quiet(await server.http.get(f"/{function}", headers={"Authorization": f"Bearer {long[:2_000]}.{long[:2_000]}.x"}))
    quiet(await server.http.get(f"/{function}", headers={"X-Cloud-Trace-Context": long, "Traceparent": long}))
    quiet(await server.http.get(f"/{function}/{long}"))
    quiet(await server.http.get(f"/{function}/%00%ff%2e%2e/..%2f"))
    # Far more than any front end lets through: cut off, or answered with what was read.
    for head in (b"GET /%b HTTP/1.1\r\n" % (b"x" * 4_000_000), b"GET / HTTP/1.1\r\nX-Y: %b\r\n" % (b"x" * 4_000_000)):
        try:
            answer = await server.raw(head + b"Host: x\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            continue
        assert answer[9:10] == b"4", answer[:100]
    assert (await server.http.get("/health")).status_code == 200, "it is as well as before"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("function", "path", "offered"),
    [
        ("tools", "/tools", {"GET"}),
        ("tools", "/tools/scan_billable_time", {"POST"}),
        ("tools", "/chat", {"POST"}),
        ("rescans", "/rescans", {"GET", "POST"}),
        ("rescans", "/coverage", {"GET"}),
        ("mailbox", "/mailbox", {"GET"}),
        ("mailbox", "/mailbox/connect", {"POST", "DELETE"}),
        ("mailbox", "/mailbox/callback", {"GET", "DELETE"}),
        ("my_data", "/my_data", {"GET", "DELETE"}),
        ("maintenance", "/maintenance/purge", {"POST"}),
        *(
            (function, "/nowhere/at/all", set())
            for function in ("tools", "rescans", "mailbox", "my_data", "maintenance")
        ),
    ],
)
async def test_what_is_not_offered_is_a_problem_and_no_more(
    servers: dict[str, Server], function: str, path: str, offered: set[str], method: str
) -> None:
    if method in offered:
        return
    answer = await servers[function].http.request(method, path, content=b"{}")
    quiet(answer)
    assert answer.status_code in {404, 405}, answer.text
    if answer.status_code == 404:
        assert problem(answer)["type"] == "urn:tenths:problem:not_found"


async def test_every_tool_there_is_not_is_a_problem(servers: dict[str, Server]) -> None:
    for name in ("nothing", "__class__", "run", "%2e%2e", "x" * 10_000):
        answer = await servers["tools"].http.post(f"/tools/{name}", content=json.dumps({}))
        quiet(answer)
        assert problem(answer)["status"] == 404


async def test_no_log_holds_a_stack_trace(running: Running) -> None:
    for function in FUNCTIONS:
        log = (running.stack.folder / f"{function}.log").read_text()
        assert "Traceback" not in log, function
        assert not [event for event in running.log(function) if event["message"].endswith(".broken")], function
