"""The sockets on which the server listens."""

import socket
import sys

BACKLOG = 4096  # the system may allow fewer (net.core.somaxconn)
# Linux spreads new connections evenly over sockets that share a port; of processes that share a socket, the one that
# is awake first takes them all.
SPREADS = sys.platform == "linux"


def bind(host: str, port: int, count: int) -> list[socket.socket]:
    """Return `count` listening sockets that share a port, or one where the system does not spread; raise OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as alone:  # nobody else may be there
        address = alone.getsockname()
    shared = SPREADS and count > 1
    return [
        socket.create_server(address[:2], family=family, backlog=BACKLOG, reuse_port=shared)
        for _ in range(count if shared else 1)
    ]


def inherited(fd: int) -> list[socket.socket]:
    """Return the listening socket that is open as `fd`; raise OSError."""
    listener = socket.socket(fileno=fd)
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise OSError(f"File descriptor {fd} is no listening socket.")
    return [listener]
