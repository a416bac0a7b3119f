"""The naive version of a scan, over the same wires: one email after another, each with a call of every API."""

import time
from contextlib import aclosing

import httpx
from pydantic import SecretStr

from shared.analyst import Analyst
from shared.errors import NotFound
from shared.settings import ToolsSettings
from shared.wiring import clients
from tests.performance.firm import Firm, Lawyer

# At a second an email, 50 take about as long as everything else together.
PATIENCE_SECONDS = 60.0


async def naive_seconds(firm: Firm, lawyer: Lawyer) -> tuple[float, int]:
    """Seconds for the lawyer's mailbox, and how many emails were read.

    If these are not all of it, because a minute was up, the seconds are scaled to all.
    """
    settings = ToolsSettings.from_environ(firm.stack.function_settings())
    rules = Analyst()
    key = settings.openai_api_key or SecretStr("")
    to = clients(settings)
    model = httpx.AsyncClient(
        base_url=f"{str(settings.openai_base_url).rstrip('/')}/",
        headers={"Authorization": f"Bearer {key.get_secret_value()}"},
        timeout=30,
    )
    async with aclosing(to.gmail.quota), to.http, model:
        context = await to.analyses.context(lawyer.mailbox.id, "")
        if context is None:
            raise NotFound("there is no such mailbox")
        inbox = to.gmail.mailbox(context.mailbox_id, context.refresh_token_encrypted)
        begun = time.perf_counter()
        ids = (await inbox.sent_page("newer_than:30d", None, 500)).ids
        done = 0
        for email_id in ids:
            fetched = await inbox.fetch(email_id)
            reading = await rules.read(fetched, context, "naive")
            await _ask(model, settings.openai_model, reading.read.email.new_text() if reading.read else "")
            await to.analyses.record(context, [await rules.conclude(reading, context)])
            done += 1
            if time.perf_counter() - begun > PATIENCE_SECONDS:
                break
        return (time.perf_counter() - begun) * len(ids) / done, done


async def _ask(model: httpx.AsyncClient, name: str, text: str) -> None:
    """Show the model all that was newly written, as one would who knows no rules."""
    messages = [
        {"role": "system", "content": "Which billable work does this email state, and how long did it take?"},
        {"role": "user", "content": text or "(empty)"},
    ]
    (await model.post("chat/completions", json={"model": name, "messages": messages})).raise_for_status()
