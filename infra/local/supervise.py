"""The process behind `make up`: runs the stack until it is asked to end, and keeps its parts alive.

Prints one line of JSON when everything answers, {"ready": ...}, or {"failed": "which and why"}, then nothing more.
"""

import argparse
import asyncio
import json
import os
import shlex
import shutil
import signal
import sys
from pathlib import Path

import httpx
import structlog

from infra.local.feed import Fed, feed, owner
from infra.local.mailbox import ConnectedMailbox
from infra.local.parts import PartFailed
from infra.local.report import Report
from infra.local.schedule import keep_schedule
from infra.local.stack import Stack, User
from shared.log import configure, where
from shared.settings import MyDataSettings, UpkeepSettings

USER = "dana@whitfieldlaw.example"
USER2 = "priya@ramanlaw.example"

log = structlog.get_logger()


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--folder", type=Path, required=True)
    arguments.add_argument("--mbox", type=Path)
    given = arguments.parse_args()
    configure("console")  # to standard error; standard output has one word for `make up`
    try:
        asyncio.run(_supervise(given.folder, given.mbox))
    except (PartFailed, OSError) as error:
        _say({"failed": str(error)})
        sys.exit(1)


def _say(word: dict[str, object]) -> None:
    print(json.dumps(word), flush=True)


async def _supervise(folder: Path, mbox: Path | None) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    address = (owner(mbox) if mbox else None) or USER
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    stack = Stack(run, quota_profile=os.environ.get("GMAIL_QUOTA_PROFILE", "2026"), keep_all=True)
    starting = asyncio.create_task(stack.__aenter__())
    asked = asyncio.create_task(ended.wait())
    await asyncio.wait([starting, asked], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait([starting])
        return
    await starting
    try:
        users = (await stack.add_user(address), await stack.add_user(USER2))
        mailbox = await stack.connect(users[0])
        environment = folder / "env"
        _write_privately(environment, env_lines(stack, users, mailbox))
        _say({"ready": str(environment)})
        working = [asyncio.create_task(keep_schedule(stack))]
        if mbox:
            working.append(asyncio.create_task(_feed(stack, users[0], mailbox, mbox)))
        await asked
        for each in working:
            each.cancel()
        environment.unlink()
    finally:
        await stack.__aexit__(None, None, None)


async def _feed(stack: Stack, user: User, mailbox: ConnectedMailbox, mbox: Path) -> None:
    """Send the file's sent mail in the background; the log says how it went."""
    fed = Fed()
    try:
        async with stack.rest(user) as rest:
            async for fed in feed(mbox, mailbox, Report(rest).processed):  # noqa: B007  the last one counts
                pass
    except (OSError, httpx.HTTPError) as error:
        log.error("mbox.broke_off", error=type(error).__name__, where=where(error), sent=fed.sent)  # noqa: TRY400
        return
    log.info("mbox.sent", sent=fed.sent, not_sent=fed.not_sent, broken=len(fed.broken))


def env_lines(stack: Stack, users: tuple[User, User], mailbox: ConnectedMailbox) -> str:
    """KEY=value lines for a shell: where everything is, two users' tokens, good for a day, and what operators need."""
    first, second = users
    operators = {name.upper() for kind in (UpkeepSettings, MyDataSettings) for name in kind.model_fields}
    values = {
        **{name: value for name, value in stack.function_settings().items() if name in operators},
        "FUNCTIONS_URL": stack.gateway.functions_url,
        "USER_ID": str(first.id),
        "USER_EMAIL": first.email,
        "USER_TOKEN": first.token,
        "USER2_ID": str(second.id),
        "USER2_EMAIL": second.email,
        "USER2_TOKEN": second.token,
        "DATABASE_URL": stack.postgres.url,
        "GMAIL_ACCESS_TOKEN": mailbox.owner_token,
        "OPENAI_BASE_URL": stack.model.url,
        "PUSH_TOKEN": stack.push_token,
        "SCHEDULER_TOKEN": stack.scheduler_token,
        "MAILBOX_ID": str(mailbox.id),
        "LOGS": str(stack.folder),
    }
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())


def _write_privately(path: Path, text: str) -> None:
    """Whole or not at all, and for this user's eyes: it holds tokens."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


if __name__ == "__main__":
    main()
