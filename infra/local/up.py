"""`make up`: starts the stack and leaves it running; returns when everything answers. `make down` ends it."""

import argparse
import contextlib
import json
import os
import select
import signal
import subprocess  # nosec B404
import sys
from pathlib import Path
from typing import Final

from infra.local.parts import module_path
from infra.local.stack import ROOT

LOCAL: Final = ROOT / ".local"
PID: Final = LOCAL / "up.pid"
END_SECONDS: Final = 60.0


def up() -> None:
    """Start it. Exit status 1, and a line that says why, when it can't be."""
    arguments = argparse.ArgumentParser(prog="make up", description=__doc__)
    arguments.add_argument("--mbox", type=Path, help="a Gmail Takeout .mbox file whose sent mail is sent at once")
    mbox: Path | None = arguments.parse_args().mbox
    if mbox is not None and not mbox.is_file():
        sys.exit(f"up: {mbox}: no such file")
    if running() is not None:
        sys.exit("up: it is up already; see .local/env, or end it with `make down`")
    LOCAL.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "infra.local.supervise", "--folder", str(LOCAL)]
    if mbox is not None:
        command += ["--mbox", str(mbox.resolve())]
    with (LOCAL / "supervise.log").open("wb") as log:
        supervisor = subprocess.Popen(  # nosec B603
            command,
            cwd=ROOT,
            env=os.environ | module_path(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # it outlives this command and its terminal
        )
    PID.write_text(str(supervisor.pid))
    try:
        word = _first_word(supervisor)
    except KeyboardInterrupt:
        down()
        sys.exit("up: stopped")
    if "ready" not in word:
        PID.unlink(missing_ok=True)
        sys.exit(f"up: {word.get('failed', 'it ended at once; see .local/supervise.log')}")
    print("Everything answers. Endpoints and tokens are in .local/env; end it with: make down")
    if mbox is not None:
        print("Mail is being sent; .local/supervise.log says when it is done.")


def down() -> None:
    """End what `up` started; nothing to end is no error."""
    handle = running()
    if handle is None:
        print("Nothing is up.")
        return
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        ended, _, _ = select.select([handle], [], [], END_SECONDS)
        if not ended:
            # Its parts die with it.
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], END_SECONDS)
    finally:
        os.close(handle)
    PID.unlink(missing_ok=True)
    (LOCAL / "env").unlink(missing_ok=True)
    print("Everything has ended.")


def running() -> int | None:
    """A handle (pidfd) of the running supervisor of this checkout, None when there is none. The caller closes it."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(PID.read_text())
        handle = os.pidfd_open(pid)
        # Asked after the handle is held, so that the number can't have gone to another process meanwhile.
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"infra.local.supervise" in words and os.fsencode(LOCAL) in words:
            return handle
        os.close(handle)
    return None


def _first_word(supervisor: "subprocess.Popen[bytes]") -> dict[str, str]:
    """What the supervisor says first; empty when it ends without a word."""
    if supervisor.stdout is None:
        return {}
    with supervisor.stdout as out:
        line = out.readline()
    word: dict[str, str] = json.loads(line) if line else {}
    return word


if __name__ == "__main__":
    up()
