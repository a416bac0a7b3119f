"""How what the plan says goes wrong is done to the stack. Each is counted as planned, and as met where it hits."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from infra.local.parts import Part, PartFailed
from tests.chaos.scene import MET, Scene
from tests.e2e.wire import When

CLOCK: Final = Path(__file__).with_name("clock")
# A step that nobody takes within this is let alone.
REACHED_SECONDS: Final = 5.0
# Who has answered too early is to be taken at their word.
ANSWERED_SECONDS: Final = 0.1


async def gmail(scene: Scene, kind: str, method: str, count: int) -> None:
    """The next calls of a method go wrong."""
    extra = {"delay_ms": 700} if kind == "slow" else {"retry_after_s": 1} if kind in {"429", "503"} else {}
    await scene.gmail(kind=kind, method=method, count=count, **extra)
    scene.counts[f"gmail {kind} {method}"] += count


async def gmail_silent(scene: Scene, method: str, person: int, mailbox: int) -> None:
    """The next call of a method for this mailbox is never answered."""
    await scene.gmail(kind="timeout", method=method, count=1, address=_address(scene, person, mailbox))
    scene.counts[f"gmail timeout {method}"] += 1


async def push(scene: Scene, kind: str, count: int, delay_ms: int) -> None:
    """The next pushes are lost, doubled, late or overtaken."""
    await scene.gmail(kind=kind, count=count, delay_ms=delay_ms)
    scene.counts[kind.replace("_", " ")] += count


async def history_lag(scene: Scene, delay_ms: int, seconds: float) -> None:
    """Pushes are faster than the history that they announce."""
    await scene.gmail(kind="history_lag", delay_ms=delay_ms)
    scene.counts["history lag"] += 1
    try:
        await asyncio.sleep(seconds)
    finally:
        await scene.gmail(kind="history_lag", delay_ms=0)


async def access_tokens_end(scene: Scene, person: int, mailbox: int) -> None:
    """Access tokens end before their time."""
    await scene.gmail(kind="expire_access_tokens", address=_address(scene, person, mailbox))
    scene.counts["access token ended"] += 1


async def history_expires(scene: Scene, person: int, mailbox: int) -> None:
    """Gmail forgets the history up to now."""
    await scene.gmail(kind="expire_history", address=_address(scene, person, mailbox))
    scene.counts["history expired"] += 1


async def watch_lapses(scene: Scene, person: int, mailbox: int) -> None:
    """Gmail no longer tells of the mailbox, and the database knows when that was to be."""
    address = _address(scene, person, mailbox)
    await scene.gmail(kind="expire_watch", address=address)
    await scene.rows("update public.mailboxes set watch_expires_at = now() where email_address = $1", address)
    scene.counts["watch lapsed"] += 1


async def revoke(scene: Scene, person: int, mailbox: int, seconds: float) -> None:
    """A person takes the app's access away, and gives it anew."""
    await scene.gmail(kind="revoke_token", address=_address(scene, person, mailbox))
    scene.counts["token revoked"] += 1
    try:
        await asyncio.sleep(seconds)
    finally:
        await scene.connect(scene.people[person], mailbox)


async def model(scene: Scene, kind: str, count: int) -> None:
    """The next answers of the model go wrong."""
    extra: dict[str, Any] = {"delay_ms": 1_500} if kind == "slow" else {"retry_after_s": 1} if kind == "429" else {}
    await scene.model("POST", "faults", kind=kind, count=count, **extra)
    scene.counts[f"model {kind}"] += count


async def kill(scene: Scene, function: str) -> None:
    """SIGKILL to a function, whatever it is doing."""
    await scene.stack.functions[function].kill9()
    scene.counts[f"kill {function}"] += 1


async def kill_amid(scene: Scene, function: str, part: str, needle: str, when: str) -> None:
    """SIGKILL to a function at a certain step: its request sent and not seen, or done and not answered."""
    name = f"kill {function} amid {needle}, {when}"
    scene.counts[name] += 1
    async with scene.turns[function]:  # one after the other: else none comes to its step
        if (left := scene.left_seconds) <= 0:
            return
        hold = scene.wires[function, part].hold(needle.encode(), When(when))
        try:
            await hold.until_reached(min(REACHED_SECONDS, left))
            await asyncio.sleep(ANSWERED_SECONDS)
            await scene.stack.functions[function].kill9()
            scene.counts[MET + name] += 1
        except TimeoutError:
            return  # nobody came by
        finally:
            hold.release()
        while not await _answers(scene.stack.functions[function]):  # noqa: ASYNC110  another process's start
            await asyncio.sleep(0.05)


async def crash(scene: Scene, part: str) -> None:
    """SIGKILL to a part of the stack; what it holds in memory is gone."""
    begun = time.time()
    await _part(scene, part).kill9()
    scene.counts[f"kill {part}"] += 1
    if part == "valkey":
        while not await _answers(scene.stack.valkey):  # noqa: ASYNC110  another process's start
            await asyncio.sleep(0.05)
        scene.valkey_away.append((begun, time.time()))


async def freeze(scene: Scene, part: str, seconds: float) -> None:
    """A part stands still, its connections open."""
    with contextlib.suppress(ProcessLookupError):  # it may have been killed meanwhile
        handle = os.pidfd_open(_part(scene, part).pid)
        try:
            signal.pidfd_send_signal(handle, signal.SIGSTOP)
            scene.counts[f"freeze {part}"] += 1
            try:
                await asyncio.sleep(seconds)
            finally:
                signal.pidfd_send_signal(handle, signal.SIGCONT)
                if part == "valkey":
                    scene.valkey_away.append((time.time() - seconds, time.time()))
        finally:
            os.close(handle)


async def clock(scene: Scene, function: str, ahead: float, seconds: float) -> None:
    """A function's process starts with a wrong clock, and after a while with a right one again."""
    process = scene.stack.functions[function]
    name = f"clock of {function} {'ahead' if ahead > 0 else 'behind'}"
    scene.counts[name] += 1
    async with scene.turns[function]:  # one after the other: else one ends another's, or kills before a process answers
        if scene.left_seconds <= 0:
            return
        wrong = {"PYTHONPATH": str(CLOCK), "TENTHS_CLOCK_AHEAD": str(ahead)}
        process.env.update(wrong)
        try:
            await process.kill9()
            while not await _answers(process):  # noqa: ASYNC110  another process's start
                await asyncio.sleep(0.05)
            scene.counts[MET + name] += 1  # it would not have started with a right one: see sitecustomize
            await asyncio.sleep(seconds)
        finally:
            for variable in wrong:
                process.env.pop(variable, None)
            await process.kill9()


async def garbage(scene: Scene, topic: str, data: str) -> None:
    """A message that nobody of us wrote."""
    await scene.publish(topic, data.encode())
    scene.counts["garbage published"] += 1


Fault = Callable[..., Awaitable[None]]
FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            *(gmail, gmail_silent, push, history_lag, access_tokens_end, history_expires, watch_lapses, revoke, model),
            *(kill, kill_amid, crash, freeze, clock, garbage),
        )
    }
)


async def calm(scene: Scene) -> None:
    """Nothing more goes wrong: what was planned and not met is taken back."""
    left = await scene.stack.http.delete(f"{scene.stack.gmail_url}/_sim/faults")
    left.raise_for_status()
    await scene.model("DELETE", "faults")


async def all_answer(scene: Scene) -> None:
    """Wait until no part is away any more. Raises TimeoutError when one stays away."""
    parts = [_part(scene, name) for name in ("postgres", "postgrest", "gateway", "valkey", "pubsub")]
    async with asyncio.timeout(60):
        for part in (*parts, *scene.stack.functions.values()):
            while not await _answers(part):  # noqa: ASYNC110  another process's start, not an event here
                await asyncio.sleep(0.1)


async def _answers(part: Part) -> bool:
    try:
        return await part.answers()
    except PartFailed:
        return False


def _part(scene: Scene, name: str) -> Part:
    part: Part = getattr(scene.stack, name)
    return part


def _address(scene: Scene, person: int, mailbox: int) -> str:
    return scene.people[person].person.address(mailbox)
