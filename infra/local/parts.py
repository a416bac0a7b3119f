"""A part of the one-machine stack: one process that is started, known to be ready, stopped, killed and restarted.

    part = Part("postgrest", [binary], env={"PGRST_SERVER_PORT": "3000"}, log=folder / "postgrest.log", ready=answers)
    async with part:            # started and ready, or PartFailed says which and why
        await part.kill9()      # a crash
        await part.start()      # the same command on the same port
                                # leaving stops it

A part dies with the process that started it, even when that one gets kill -9.
"""

import asyncio
import contextlib
import os
import signal
import subprocess  # nosec B404
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_CHILD = Path(__file__).with_name("child.py")
_PROBE_EVERY_SECONDS = 0.02
_LAST_LINES = 4
_LAST_BYTES = 8192
_LINE_LIMIT = 300


class PartFailed(Exception):
    """A part can't do its work. The message is one line: which part, why, and where its log says more.

    `since`: from which byte the log tells of this run.
    """

    def __init__(self, name: str, why: str, log: Path | None = None, since: int = 0) -> None:
        self.name = name
        self.why = why
        self.log = log
        super().__init__(f"{name}: {why}{_tail(log, since)}")


class Part:
    """One process. `ready` is asked until it answers True; it returns False while the part isn't there yet.

    argv, env: the command; env is added to this process's environment.
    log: where standard output and error go, appended; its folder is made.
    deadline: seconds from start to ready. stop_deadline: seconds from `stop_signal` to SIGKILL.
    user: (uid, gid) to run as, None for this process's own.
    death_signal: what the part gets when the process that started it dies. SIGTERM where the part has processes of its
    own to end, since only the part itself is told.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        ready: Callable[[], Awaitable[bool]],
        env: Mapping[str, str] | None = None,
        user: tuple[int, int] | None = None,
        deadline: float = 30.0,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_deadline: float = 10.0,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.argv = [str(argument) for argument in argv]
        self.log = log
        self.env = dict(env or {})
        self._ready = ready
        self._user = user
        self._deadline = deadline
        self._stop_signal = stop_signal
        self._stop_deadline = stop_deadline
        self._death_signal = death_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """Process id of the part, also after it ended. Raises PartFailed when it was never started."""
        return self._started().pid

    @property
    def running(self) -> bool:
        """True from start until the process has ended, by whatever cause."""
        return self._process is not None and self._process.poll() is None

    async def answers(self) -> bool:
        """Whether the part is there right now."""
        return self.running and await self._ready()

    async def start(self) -> Self:
        """Starts the process and returns when it is ready; on any failure nothing is left running.

        Raises PartFailed when it can't be started, ends early, or isn't ready by the deadline.
        """
        if self.running:
            raise self.failed("is running already")
        if threading.current_thread() is not threading.main_thread():
            # The kernel ends a part with the thread that started it, not with the process.
            raise self.failed("must be started from the main thread")
        self._process = self._spawn()
        try:
            await self._until_ready(self._process)
        except BaseException:
            await self.kill9()
            raise
        return self

    async def stop(self) -> None:
        """Asks the part to end, waits, kills it after the stop deadline. Does nothing when it has ended already."""
        if not self.running:
            return
        process = self._started()
        process.send_signal(self._stop_signal)
        try:
            await self.wait_exit(self._stop_deadline)
        except TimeoutError:
            await self.kill9()

    async def kill9(self) -> None:
        """SIGKILL to the process and all that it started, and waits until they are gone: a crash."""
        process = self._started()
        if process.poll() is not None:
            return
        family = [process.pid, *_descendants(process.pid)]
        handles = [handle for pid in family if (handle := _open(pid)) is not None]
        try:
            for handle in handles:
                _kill(handle)
            await asyncio.gather(*(_ended(handle) for handle in handles))
        finally:
            for handle in handles:
                os.close(handle)
        process.wait()

    async def restart(self) -> Self:
        """Stops the part in good order and starts it again on the same port."""
        await self.stop()
        return await self.start()

    async def wait_exit(self, deadline: float | None = None) -> int:
        """The exit code (negative: the signal) once the process has ended, and what it left behind with it.

        Raises TimeoutError after `deadline` seconds, PartFailed when it was never started.
        """
        process = self._started()
        if process.poll() is None:
            handle = os.pidfd_open(process.pid)
            try:
                async with asyncio.timeout(deadline):
                    await _ended(handle)
                # Not reaped yet, so the number of its group is still its own.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            finally:
                os.close(handle)
        return process.wait()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def failed(self, why: str) -> PartFailed:
        """The error to raise for this part, with the end of its log."""
        return PartFailed(self.name, why, self.log, self._log_start)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise self.failed("was never started")
        return self._process

    def _spawn(self) -> subprocess.Popen[bytes]:
        uid, gid = self._user or (-1, -1)
        numbers = (os.getpid(), int(self._death_signal), uid, gid)
        launch = [sys.executable, "-I", "-S", str(_CHILD), *(str(number) for number in numbers)]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            try:
                return subprocess.Popen(  # nosec B603
                    [*launch, *self.argv],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=os.environ | self.env,
                    cwd="/" if self._user else None,  # another user may not be let into this folder
                    start_new_session=True,  # Ctrl-C is for the supervisor, which stops parts in order
                )
            except OSError as error:
                raise self.failed(f"can't be started: {error}") from error

    async def _until_ready(self, process: subprocess.Popen[bytes]) -> None:
        try:
            async with asyncio.timeout(self._deadline):
                while not await self._ready():
                    if (code := process.poll()) is not None:
                        raise self.failed(f"ended with {_exit(code)} before it was ready")
                    await asyncio.sleep(_PROBE_EVERY_SECONDS)
        except TimeoutError as error:
            raise self.failed(f"was not ready within {self._deadline:g} s") from error
        if (code := process.poll()) is not None:  # something else answers on its port
            raise self.failed(f"ended with {_exit(code)} before it was ready")


def module_path() -> dict[str, str]:
    """The environment with which `python -m infra.…` finds this project from any folder."""
    root = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{root}{os.pathsep}{inherited}" if inherited else root}


async def port_answers(port: int) -> bool:
    """A readiness probe: something accepts connections on 127.0.0.1:`port`."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def http_answers(port: int, path: str = "/", statuses: range = range(200, 300)) -> bool:
    """A readiness probe: a GET of `path` on 127.0.0.1:`port` is answered with one of `statuses`."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            words = (await reader.readline()).split(b" ", 2)
        finally:
            writer.close()
            await writer.wait_closed()
    except OSError:
        return False
    return len(words) > 1 and words[1].isdigit() and int(words[1]) in statuses


def _exit(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _tail(log: Path | None, since: int) -> str:
    if log is None:
        return ""
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - _LAST_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = " | ".join(line[:_LINE_LIMIT] for line in lines[-_LAST_LINES:])
    return f" (log {log}{': ' + said if said else ' is empty'})"


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        for child in map(int, children):
            yield child
            yield from _descendants(child)


def _open(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _kill(handle: int) -> None:
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended before


async def _ended(handle: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
