"""A Starlette app on a real socket of this machine, in a thread with a loop of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute


@contextmanager
def serving(routes: Sequence[BaseRoute], host: str = "127.0.0.1") -> Iterator[str]:
    """The address at which the routes answer, for the length of the block."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, dualstack_ipv6=host == "::")
    config = uvicorn.Config(Starlette(routes=list(routes)), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
