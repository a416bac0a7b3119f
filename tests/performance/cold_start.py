"""How long a function's new process takes to its first answer."""

import asyncio
import base64
import time
from typing import Any

import httpx

from infra.local.stack import ASKED, FUNCTIONS, PUSHED
from tests.performance.firm import Firm, Lawyer

# What the way to a function answers while its process is away.
_AWAY = frozenset({502, 503, 504})
_DELIVERED = {
    "gmail_push": b'{"emailAddress":"nobody@firm.example","historyId":1}',
    "analyze_email": b'{"mailbox_id":"00000000-0000-4000-8000-000000000000","email_id":"m1"}',
    "rescan_page": b'{"job_id":"00000000-0000-4000-8000-000000000000","step":1}',
}


async def cold_start(firm: Firm) -> dict[str, Any]:
    """Seconds from a killed process to the new one's first answer that needed the database, for each function.

    Those that Pub/Sub pushes to get a delivery of a mailbox or job that there isn't, those that users ask a question of
    a user's. `cold_list_s`: the tools' first answer to GET /tools, which asks nobody.
    """
    lawyer = await firm.lawyer(())
    figures = {name: round(await _first_answer(firm, name, _request(firm, name, lawyer)), 2) for name in FUNCTIONS}
    listing = httpx.Request("GET", f"{firm.stack.gateway.functions_url}/tools")
    return {
        "cold_start_s": figures,
        "cold_list_s": round(await _first_answer(firm, "tools", listing), 2),
    }


def _request(firm: Firm, name: str, lawyer: Lawyer) -> httpx.Request:
    """What the function can answer only with the database."""
    http = lawyer.asking.http
    if name == "tools":
        return http.build_request("POST", "/tools/configure_time_tracking", json={})
    if name in PUSHED:
        data = base64.b64encode(_DELIVERED.get(name, b"{}")).decode()
        body = {"message": {"data": data, "messageId": "1"}, "subscription": "bench"}
        headers = {"Authorization": f"Bearer {firm.stack.push_token}"}
        return http.build_request("POST", f"/{name}", json=body, headers=headers)
    return http.build_request("GET", f"/{ASKED.get(name, (name,))[0]}")


async def _first_answer(firm: Firm, name: str, request: httpx.Request) -> float:
    """Seconds until this is answered, from when the process that would have answered is dead."""
    part = firm.stack.functions[name]
    async with httpx.AsyncClient(timeout=30) as http:
        await part.kill9()
        begun = time.monotonic()
        while (await http.send(request)).status_code in _AWAY:  # noqa: ASYNC110  nothing tells of a process's start
            await asyncio.sleep(0.01)
        return time.monotonic() - begun
