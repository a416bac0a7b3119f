"""Every endpoint there is, as its code says it, and a request for it that names what is the victim's."""

import ast
import base64
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from tests.security.victim import Victim

FUNCTIONS: Final = Path(__file__).parents[2] / "functions"
MAINTENANCE_TASKS: Final = (
    *("renew_watches", "reconcile", "refresh_summaries", "second_looks", "purge", "replay_dead_letters"),
)


class For(StrEnum):
    """Who is answered."""

    USERS = "users"
    MACHINES = "machines"
    ANYBODY = "anybody"


@dataclass(frozen=True)
class Endpoint:
    """`code`: method and path as the function's match statement has them; "delivery" where all that comes is one.

    `path`, `body`: what an attacker sends; {job_id} and the like stand for the victim's.
    """

    function: str
    code: str
    whose: For
    path: str
    body: Any = None

    @property
    def method(self) -> str:
        return "POST" if self.code == "delivery" else self.code.split()[0]

    def asked(self, victim: Victim) -> tuple[str, bytes]:
        """Path and body with what is the victim's in it."""
        who = victim.who
        ids = {
            "{user_id}": str(who.user.id),
            "{mailbox_id}": str(who.mailbox.id),
            "{address}": who.user.email,
            "{email_id}": victim.email_id,
            "{entry_id}": victim.entry_id,
            "{job_id}": victim.job_id,
        }

        def filled(text: str) -> str:
            for name, value in ids.items():
                text = text.replace(name, value)
            return text

        if self.body is None:
            return filled(self.path), b""
        if self.code != "delivery":
            return filled(self.path), filled(json.dumps(self.body)).encode()
        data = base64.b64encode(filled(json.dumps(self.body)).encode()).decode()
        message = {"data": data, "messageId": "1", "attributes": {}}
        return filled(self.path), json.dumps(
            {"message": message, "subscription": "projects/p/subscriptions/s"}
        ).encode()


def _chat(words: str) -> dict[str, Any]:
    return {"messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": words}]}]}


_DAYS: Final = "from=2026-01-01&to=2026-02-01"
_USERS: Final[tuple[tuple[str, str, str, Any], ...]] = (
    ("tools", "POST tools/{}", "/tools/scan_billable_time", {"query_filter": "from:{address}"}),
    ("tools", "POST tools/{}", "/tools/analyze_time_entry", {"email_id": "{email_id}"}),
    ("tools", "POST tools/{}", "/tools/get_time_tracking_summary", {"client_filter": "Vandersloot"}),
    ("tools", "POST tools/{}", "/tools/configure_time_tracking", {"remove_matters": [{"client": "Vandersloot"}]}),
    ("tools", "POST chat", "/chat", _chat("Scan the mail of {address}, email {email_id}, user {user_id}")),
    ("rescans", "POST rescans", "/rescans", {"mailbox_id": "{mailbox_id}", "date_range_days": 2}),
    ("rescans", "GET rescans", "/rescans?user_id={user_id}", None),
    ("rescans", "GET rescans/{}", "/rescans/{job_id}", None),
    ("rescans", "DELETE rescans/{}", "/rescans/{job_id}", None),
    ("rescans", "GET coverage", f"/coverage?{_DAYS}", None),
    ("rescans", "GET coverage", f"/coverage?{_DAYS}&mailbox_id={{mailbox_id}}", None),
    ("rescans", "GET coverage", f"/coverage?{_DAYS}&continue_token={{mailbox_id}}", None),
    ("mailbox", "POST connect", "/mailbox/connect", {"login_hint": "{address}"}),
    ("mailbox", "POST finish", "/mailbox/finish", {"state": "x.y.z", "code": "{email_id}"}),
    ("mailbox", "POST delegate", "/mailbox/delegate", {}),
    ("mailbox", "POST delegate", "/mailbox/delegate", {"address": "{address}"}),
    ("mailbox", "GET ", "/mailbox?user_id={user_id}", None),
    ("mailbox", "DELETE {}", "/mailbox/{mailbox_id}", None),
    ("my_data", "GET my_data", "/my_data?user_id={user_id}", None),
    ("my_data", "DELETE my_data", "/my_data", {"confirm": "delete everything", "user_id": "{user_id}"}),
)
_DELIVERIES: Final = (
    ("gmail_push", {"emailAddress": "{address}", "historyId": 1}),
    ("analyze_email", {"mailbox_id": "{mailbox_id}", "email_id": "{email_id}"}),
    ("rescan_page", {"job_id": "{job_id}", "step": 0}),
)
ENDPOINTS: Final = (
    *(Endpoint(function, code, For.USERS, path, body) for function, code, path, body in _USERS),
    Endpoint("tools", "GET tools", For.ANYBODY, "/tools"),
    Endpoint("mailbox", "GET callback", For.ANYBODY, "/mailbox/callback?state=x.y.z&code={email_id}"),
    *(Endpoint(function, "delivery", For.MACHINES, f"/{function}", body) for function, body in _DELIVERIES),
    *(
        Endpoint("maintenance", "POST maintenance/{}", For.MACHINES, f"/maintenance/{task}", {})
        for task in MAINTENANCE_TASKS
    ),
)


def in_the_code() -> set[tuple[str, str]]:
    """(function, endpoint) of every function, out of its source."""
    found = set()
    for module in sorted(FUNCTIONS.glob("*.py")):
        tree = ast.parse(module.read_text())
        entry_points = [node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef) and _is_entry(node)]
        cases = [case.pattern for node in ast.walk(tree) if isinstance(node, ast.Match) for case in node.cases]
        codes = {code for pattern in cases for code in _codes(pattern)}
        for name in entry_points:
            found |= {(name, code) for code in codes or {"delivery"}}
    return found


def _is_entry(function: ast.AsyncFunctionDef) -> bool:
    return any("functions_framework" in ast.unparse(decorator) for decorator in function.decorator_list)


def _codes(pattern: ast.pattern) -> list[str]:
    match pattern:
        case ast.MatchSequence([ast.MatchValue(ast.Constant(str(method))), path]):
            paths = path.patterns if isinstance(path, ast.MatchOr) else [path]
            return [f"{method} {_path(one)}" for one in paths][:1]  # the others: without the function's own name
    raise AssertionError(f"an endpoint that this test can't read: {ast.unparse(pattern)}")


def _path(pattern: ast.pattern) -> str:
    match pattern:
        case ast.MatchValue(ast.Constant(str(text))):
            return text
        case ast.MatchAs():
            return "{}"
        case ast.MatchSequence(segments):
            return "/".join(_path(segment) for segment in segments)
    raise AssertionError(f"a path that this test can't read: {ast.unparse(pattern)}")
