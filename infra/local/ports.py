"""Free TCP ports on 127.0.0.1 that two stacks started at the same moment don't both choose."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the kernel's usual range for outgoing connections (32768 and up), so that none of those takes a chosen port.
_FIRST, _LAST = 20_000, 32_000
_held: dict[int, int] = {}


def free_port() -> int:
    """A port that nothing listens on and that no other caller on this machine is given while this process lives.

    A locked file for each port says whose it is; the lock goes with the process, however that ends, so a part can be
    restarted on its port at any time. Raises OSError when every port is taken.
    """
    folder = Path(tempfile.gettempdir()) / f"tenths-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for port in random.SystemRandom().sample(range(_FIRST, _LAST), _LAST - _FIRST):
        if port not in _held and _take(folder / str(port), port):
            return port
    raise OSError(f"no free TCP port between {_FIRST} and {_LAST}")


def _take(lock: Path, port: int) -> bool:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no obstacle
            probe.bind(("127.0.0.1", port))
    except OSError:
        os.close(descriptor)
        return False
    _held[port] = descriptor
    return True
