"""Becomes another program that can't outlive its parent.

`python -I -S child.py PARENT SIGNAL UID GID PROGRAM ARGUMENT…`

PARENT is a process id, SIGNAL the number of what the program gets when that process dies. UID and GID of -1 keep the
parent's user. The kernel forgets a parent-death signal when the user changes, so it is asked for here, after that
change and before the program starts. Doing it in a process of its own keeps threads of the parent (gRPC's, for one)
out of a fork.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_CANNOT_START = 126


def _become(parent: int, death_signal: int, uid: int, gid: int, argv: list[str]) -> None:
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before the signal was asked for
        sys.exit(_CANNOT_START)
    os.execvp(argv[0], argv)  # noqa: S606  the program of a part, from a fixed list  # nosec B606


if __name__ == "__main__":
    try:
        asked = [int(number) for number in sys.argv[1:5]]
        _become(asked[0], asked[1], asked[2], asked[3], sys.argv[5:])
    except OSError as error:
        sys.exit(f"{sys.argv[5]} can't be started: {error}")
