"""Faults on order: what a network, a busy WeCom or a lost reply does to the next calls of a path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import httpx

ANY: Final = "*"
"""A fault's path that stands for every call, `gettoken` included."""

Where = Callable[[Mapping[str, str], Mapping[str, Any]], bool]
"""Picks calls by query (without secrets) and JSON body."""


class ConnectionDropped(httpx.ReadError):
    """The connection broke before the answer came.

    It is an httpx error because `httpx.ASGITransport` hands an app's exception to the client as
    it is: so a client over ASGI meets what it would meet over a socket.
    """


class ConnectionNotMade(httpx.ConnectError):
    """There was no connection: the call cannot have had an effect."""


class FaultKind(StrEnum):
    ERRCODE = "errcode"
    HTTP_STATUS = "http_status"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    DELAY = "delay"
    WARNING = "warning"


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order: `times` calls of `path` meet it, after `skip` that do not."""

    kind: FaultKind
    path: str
    times: int
    skip: int
    is_after: bool
    """The call has its effect first; only its answer suffers."""
    where: Where | None
    errcode: int = 0
    status: int = 0
    seconds: float = 0.0

    def meets(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> bool:
        if self.path not in (ANY, path):
            return False
        return self.where is None or self.where(query, body)


class Faults:
    """The orders of one sandbox, the oldest first; a call meets at most one.

    A path is written without `/cgi-bin/`: `user/create`. `after=True` lets the call have its effect
    and spoils the answer alone.
    """

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def answer(
        self,
        path: str,
        errcode: int,
        *,
        times: int = 1,
        skip: int = 0,
        after: bool = False,
        where: Where | None = None,
    ) -> None:
        """Calls get this errcode. 40014 and 42001 also end the token that came with them."""
        self._add(FaultKind.ERRCODE, path, times, skip, after, where, errcode=errcode)

    def http_status(
        self,
        path: str,
        status: int = 502,
        *,
        times: int = 1,
        skip: int = 0,
        after: bool = False,
        where: Where | None = None,
    ) -> None:
        """Calls get a web server's error page instead of JSON."""
        self._add(FaultKind.HTTP_STATUS, path, times, skip, after, where, status=status)

    def reset(
        self, path: str, *, times: int = 1, skip: int = 0, after: bool = False, where: Where | None = None
    ) -> None:
        """Calls lose their connection while they wait for the answer."""
        self._add(FaultKind.RESET, path, times, skip, after, where)

    def unreachable(self, path: str, *, times: int = 1, skip: int = 0, where: Where | None = None) -> None:
        """Calls find nobody to talk to (over a real socket: the same as `reset`)."""
        self._add(FaultKind.UNREACHABLE, path, times, skip, False, where)

    def delay(
        self,
        path: str,
        seconds: float,
        *,
        times: int = 1,
        skip: int = 0,
        after: bool = False,
        where: Where | None = None,
    ) -> None:
        """Calls are carried out late, or answered late."""
        self._add(FaultKind.DELAY, path, times, skip, after, where, seconds=seconds)

    def warn(
        self, path: str, *, times: int = 1, skip: int = 0, after: bool = True, where: Where | None = None
    ) -> None:
        """Calls get errcode 0 and `Warning: wrong json format`; without `after` nothing was changed."""
        self._add(FaultKind.WARNING, path, times, skip, after, where)

    def clear(self) -> None:
        """No order is left."""
        self.waiting.clear()

    def take(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Fault | None:
        """The fault that this call meets; it is counted."""
        for fault in self.waiting:
            if not fault.meets(path, query, body):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self.waiting.remove(fault)
            return fault
        return None

    def _add(
        self,
        kind: FaultKind,
        path: str,
        times: int,
        skip: int,
        is_after: bool,
        where: Where | None,
        *,
        errcode: int = 0,
        status: int = 0,
        seconds: float = 0.0,
    ) -> None:
        if times < 1 or skip < 0:
            raise ValueError("a fault meets at least one call and skips none or more")
        self.waiting.append(
            Fault(
                kind=kind,
                path=path,
                times=times,
                skip=skip,
                is_after=is_after,
                where=where,
                errcode=errcode,
                status=status,
                seconds=seconds,
            )
        )
