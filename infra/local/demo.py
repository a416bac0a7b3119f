"""`make demo`: a mailbox's sent mail goes through the whole event path; what comes out is shown. Ends by itself."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from infra.local.feed import Fed, feed, owner
from infra.local.mailbox import ConnectedMailbox
from infra.local.parts import PartFailed
from infra.local.question import Assistant, put_question
from infra.local.report import Report, counted, show
from infra.local.stack import ROOT, Stack

SAMPLE = Path(__file__).with_name("sample.mbox")
# With nothing new on record for so long, what is missing won't come by itself.
PATIENCE_SECONDS = 90.0


def main() -> None:
    """Run the demo. Exit status 1, and a line that says why, when it can't."""
    arguments = argparse.ArgumentParser(prog="make demo", description=__doc__)
    arguments.add_argument("--mbox", type=Path, default=SAMPLE, help="a Gmail Takeout .mbox file")
    mbox: Path = arguments.parse_args().mbox
    console = Console()
    try:
        asyncio.run(_demo(mbox, console))
    except PartFailed as error:
        sys.exit(f"demo: {error}")
    except OSError as error:
        sys.exit(f"demo: {error.filename or mbox}: {error.strerror}")
    except httpx.HTTPError as error:
        sys.exit(f"demo: a part of the system went away: {type(error).__name__}")
    except KeyboardInterrupt:
        sys.exit("demo: stopped; everything it started has ended")


async def _demo(mbox: Path, console: Console) -> None:
    address = owner(mbox)
    if address is None:
        sys.exit(f"demo: {mbox}: no message in it names a sender")
    folder = _folder()
    try:
        await _run(mbox, address, folder, console)
    except PartFailed:
        raise  # the folder stays: the error names a log in it
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    local = ROOT / ".local"
    local.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="demo-", dir=local))


async def _run(mbox: Path, address: str, folder: Path, console: Console) -> None:
    begun = time.monotonic()
    # The older projects' quota by default: with the newer one, a mailbox of thousands would take hours, here as there.
    stack = Stack(folder, quota_profile=os.environ.get("GMAIL_QUOTA_PROFILE", "legacy"))
    with console.status("Starting Postgres, PostgREST, Pub/Sub, Gmail's simulator and the functions ..."):
        await stack.__aenter__()
    try:
        console.print(f"Everything runs ({stack.pubsub.name}), after {time.monotonic() - begun:.1f} s.")
        console.print(_model(stack))
        user = await stack.add_user(address)
        mailbox = await stack.connect(user)
        async with stack.rest(user) as rest:
            report = Report(rest)
            fed, seconds = await _send_all(mbox, mailbox, report, console)
            await show(report, fed, seconds, console)
            email_ids = list(dict.fromkeys(str(row["email_id"]) for row in await report.entries()))
        async with stack.functions_as(user) as functions:
            await put_question(Assistant(functions), email_ids, console, has_model=stack.model.asked)
    finally:
        await stack.__aexit__(*sys.exc_info())


def _model(stack: Stack) -> str:
    """Whether a language model is asked, and what it is shown."""
    if not stack.model.asked:
        return "No outside model: the mail is read on this machine, and nothing leaves it."
    return (
        f"Where the rules are unsure, the model at {stack.model.url} is shown the sentence around the amount;"
        " for the question at the end, totals and names of clients."
    )


async def _send_all(mbox: Path, mailbox: ConnectedMailbox, report: Report, console: Console) -> tuple[Fed, float]:
    """Send everything and wait until all of it is accounted for. Gives the counts and how long it took, seconds."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    begun = time.monotonic()
    fed = Fed()
    size = os.path.getsize(mbox)  # noqa: ASYNC240, PTH202  one stat, before anything is under way
    with Progress(*columns, console=console) as progress:
        reading = progress.add_task("read from the file", total=size, note="bytes")
        analysed = progress.add_task("sent and analysed", total=None, note="")

        async def account() -> int:
            done = await report.processed()
            progress.update(analysed, completed=done, total=max(fed.sent, 1), note=f"{await report.found()} entries")
            return done

        looked = time.monotonic()
        async for fed in feed(mbox, mailbox, account):
            progress.update(reading, completed=fed.bytes_read)
            if time.monotonic() - looked > 0.3:
                await account()
                looked = time.monotonic()
        progress.update(reading, completed=size)
        done, news = await account(), time.monotonic()
        while done < fed.sent and time.monotonic() - news < PATIENCE_SECONDS:
            await asyncio.sleep(0.2)
            now = await account()
            if now > done:
                done, news = now, time.monotonic()
    if done < fed.sent:
        console.print(f"[yellow]{counted(fed.sent - done, 'email')} still waiting after {PATIENCE_SECONDS:.0f} s.")
    return fed, time.monotonic() - begun


if __name__ == "__main__":
    main()
