import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.local import parts
from infra.local.parts import Part, PartFailed, http_answers, port_answers
from infra.local.ports import free_port

# Announces itself in a file, so that a test knows when it runs, and how often it was started.
SLEEPER = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).open('a').write('up\\n'); time.sleep(60)"


def sleeper(folder: Path, program: str = SLEEPER, *, stop_deadline: float = 10) -> Part:
    sign = folder / "sign"

    async def up() -> bool:
        return sign.exists()

    argv: list[str | Path] = [sys.executable, "-c", program, sign]
    return Part("sleeper", argv, log=folder / "log", ready=up, stop_deadline=stop_deadline)


async def never() -> bool:
    return False


@dataclass
class Watched:
    """A process that is somebody else's child: its end can be awaited all the same."""

    handle: int

    async def gone(self) -> None:
        try:
            await asyncio.wait_for(parts._ended(self.handle), 10)
        finally:
            os.close(self.handle)


def watched(pid: int) -> Watched:
    return Watched(os.pidfd_open(pid))


@asynccontextmanager
async def python(program: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process of this project; killed at the end of the block, if it hasn't ended."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=os.environ | parts.module_path() | environment,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate(b"")


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode()


async def test_a_part_runs_while_its_block_is_open_and_not_after(tmp_path: Path) -> None:
    async with sleeper(tmp_path) as part:
        assert part.running
        process = watched(part.pid)
    assert not part.running
    await process.gone()


async def test_a_part_that_is_killed_can_be_started_again(tmp_path: Path) -> None:
    async with sleeper(tmp_path) as part:
        await part.kill9()
        assert await part.wait_exit() == -signal.SIGKILL
        await part.start()
        assert part.running


async def test_a_part_that_ignores_the_request_to_end_is_killed_after_its_deadline(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPER
    part = await sleeper(tmp_path, stubborn, stop_deadline=0.2).start()
    await part.stop()
    assert await part.wait_exit() == -signal.SIGKILL


async def test_kill9_takes_along_what_the_part_has_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    parent = f"""
import pathlib, subprocess
started = subprocess.Popen(["sleep", "60"], start_new_session=True)
pathlib.Path({str(child)!r}).write_text(str(started.pid))
{SLEEPER}
"""
    async with sleeper(tmp_path, parent) as part:
        started = watched(int(child.read_text()))
        await part.kill9()
        await started.gone()


async def test_a_part_that_ends_early_says_which_it_was_why_and_what_it_said_last(tmp_path: Path) -> None:
    dying = "import sys; print('the disk is full'); sys.exit(7)"
    part = Part("archive", [sys.executable, "-c", dying], log=tmp_path / "archive.log", ready=never)
    with pytest.raises(PartFailed) as failure:
        await part.start()
    message = str(failure.value)
    assert message == (
        f"archive: ended with exit code 7 before it was ready (log {tmp_path / 'archive.log'}: the disk is full)"
    )
    assert (failure.value.name, failure.value.log) == ("archive", tmp_path / "archive.log")


async def test_a_failed_part_quotes_this_run_and_not_the_one_before(tmp_path: Path) -> None:
    log = tmp_path / "archive.log"
    log.write_text("the disk was full yesterday\n")
    part = Part("archive", [sys.executable, "-c", "raise SystemExit(3)"], log=log, ready=never)
    with pytest.raises(PartFailed) as failure:
        await part.start()
    assert "yesterday" not in str(failure.value)
    assert "yesterday" in log.read_text()


async def test_a_part_that_is_never_ready_is_ended_and_named(tmp_path: Path) -> None:
    part = Part("deaf", ["sleep", "60"], log=tmp_path / "deaf.log", ready=never, deadline=0.2)
    with pytest.raises(PartFailed, match=r"deaf: was not ready within 0\.2 s"):
        await part.start()
    assert not part.running


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    part = Part("ghost", [tmp_path / "no-such-program"], log=tmp_path / "ghost.log", ready=never)
    with pytest.raises(PartFailed, match=r"ghost: .*no-such-program can't be started: .*No such file"):
        await part.start()


async def test_a_part_whose_start_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def not_yet() -> bool:
        asked.set()
        return False

    part = Part("slow", ["sleep", "60"], log=tmp_path / "slow.log", ready=not_yet)
    starting = asyncio.create_task(part.start())
    await asked.wait()
    process = watched(part.pid)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await process.gone()


async def test_a_running_part_is_not_started_twice(tmp_path: Path) -> None:
    async with sleeper(tmp_path) as part:
        with pytest.raises(PartFailed, match="is running already"):
            await part.start()


async def test_a_part_is_refused_outside_the_main_thread_where_the_kernel_would_end_it_early(tmp_path: Path) -> None:
    def start() -> None:
        with pytest.raises(PartFailed, match="main thread"):
            asyncio.run(sleeper(tmp_path).start())

    thread = threading.Thread(target=start)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert not (tmp_path / "sign").exists()


async def test_a_part_dies_when_its_parent_gets_kill_9(tmp_path: Path) -> None:
    program = f"""
import asyncio, pathlib, sys
from infra.local.parts import Part

async def main():
    sign = pathlib.Path({str(tmp_path / "sign")!r})
    async def up():
        return sign.exists()
    part = Part("child", [sys.executable, "-c", {SLEEPER!r}, sign], log=sign.with_name("log"), ready=up)
    await part.start()
    print(part.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    async with python(program) as parent:
        process = watched(int(await line(parent)))
        parent.kill()
        await process.gone()


async def test_a_part_does_not_begin_when_its_parent_is_gone_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    part = Part("orphan", ["touch", begun], log=tmp_path / "orphan.log", ready=never)
    monkeypatch.setattr("os.getpid", lambda: 1)  # whom the part takes for its parent
    with pytest.raises(PartFailed, match="ended with exit code 126"):
        await part.start()
    assert not begun.exists()


async def test_ports_given_out_are_all_different_also_between_processes() -> None:
    program = "from infra.local.ports import free_port; print(*(free_port() for _ in range(20)), flush=True); input()"
    async with python(program) as one, python(program) as two:
        ports = [free_port() for _ in range(20)]
        for other in (one, two):
            ports += map(int, (await line(other)).split())
    assert len(set(ports)) == 60


async def test_a_port_is_one_processs_own_until_that_process_is_gone(tmp_path: Path) -> None:
    here = str(tmp_path)  # where no lock says that the one port there is were ours
    program = f"""
from infra.local import ports
ports._FIRST, ports._LAST = {(port := free_port())}, {port + 1}
print(ports.free_port(), flush=True)
input()
"""
    async with python(program, TMPDIR=here) as owner:
        assert await line(owner) == f"{port}\n"
        async with python(program, TMPDIR=here) as other:
            _, said = await other.communicate(b"")
            assert b"no free TCP port" in said
    async with python(program, TMPDIR=here) as heir:
        assert await line(heir) == f"{port}\n"


async def test_a_port_that_something_listens_on_is_not_given_out(tmp_path: Path) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", free_port()) as server:
        taken = server.sockets[0].getsockname()[1]
        program = f"""
from infra.local import ports
ports._FIRST, ports._LAST = {taken}, {taken + 1}
ports.free_port()
"""
        async with python(program, TMPDIR=str(tmp_path)) as other:  # where no lock says that the port is ours
            _, said = await other.communicate(b"")
    assert f"no free TCP port between {taken} and {taken + 1}" in said.decode()


async def test_a_probe_tells_a_listening_port_from_one_that_answers_well() -> None:
    async def unwell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    port = free_port()
    assert not await port_answers(port)
    assert not await http_answers(port)
    async with await asyncio.start_server(unwell, "127.0.0.1", port):
        assert await port_answers(port)
        assert not await http_answers(port)
        assert await http_answers(port, statuses=range(500, 600))
