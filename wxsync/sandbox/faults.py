"""Faults on order: what a network, a busy WeCom or a lost reply does to the next calls of a path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any, Final, TypedDict, Unpack

import httpx

ANY: Final = "*"
"""A fault's path that stands for every call, `gettoken` included; `user/*` stands for a family."""

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
    CUT = "cut"
    TEXT_ERRCODE = "text_errcode"
    HTML = "html"
    HUGE = "huge"


class Timing(TypedDict, total=False):
    """Which calls meet a fault, and whether they have their effect."""

    times: int | None
    """So many calls; 1 unless told, None: all from now on."""
    skip: int
    """So many go by before: the k-th call is `skip=k - 1`."""
    after: bool
    """The call has its effect, and the answer alone is spoilt."""
    where: Where | None
    chance: float
    """With this probability each, by the seed of the orders."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order: `times` calls of `path` meet it, after `skip` that do not."""

    kind: FaultKind
    path: str
    times: int | None
    skip: int
    is_after: bool
    """The call has its effect first; only its answer suffers."""
    where: Where | None
    chance: float
    errcode: int = 0
    status: int = 0
    seconds: float = 0.0

    def meets(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> bool:
        return fnmatchcase(path, self.path) and (self.where is None or self.where(query, body))


class Faults:
    """The orders of one sandbox, the oldest first; a call meets at most one.

    A path is written without `/cgi-bin/`: `user/create`. Which calls meet a fault that has a
    `chance` is the same in every sandbox of the same seed and the same calls.
    """

    def __init__(self, seed: int = 1) -> None:
        self.waiting: list[Fault] = []
        self.seed = seed
        self._throws = 0

    def answer(self, path: str, errcode: int, **timing: Unpack[Timing]) -> None:
        """Calls get this errcode. 40014 and 42001 also end the token that came with them."""
        self._add(FaultKind.ERRCODE, path, timing, errcode=errcode)

    def http_status(self, path: str, status: int = 502, **timing: Unpack[Timing]) -> None:
        """Calls get a web server's error page instead of JSON."""
        self._add(FaultKind.HTTP_STATUS, path, timing, status=status)

    def html(self, path: str, **timing: Unpack[Timing]) -> None:
        """Calls get a page with HTTP 200, as from a proxy that wants somebody to sign in."""
        self._add(FaultKind.HTML, path, timing, status=200)

    def reset(self, path: str, **timing: Unpack[Timing]) -> None:
        """Calls lose their connection while they wait for the answer."""
        self._add(FaultKind.RESET, path, timing)

    def unreachable(self, path: str, **timing: Unpack[Timing]) -> None:
        """Calls find nobody to talk to (over a real socket: the same as `reset`)."""
        self._add(FaultKind.UNREACHABLE, path, {**timing, "after": False})

    def delay(self, path: str, seconds: float, **timing: Unpack[Timing]) -> None:
        """Calls are carried out late, or answered late."""
        self._add(FaultKind.DELAY, path, timing, seconds=seconds)

    def warn(self, path: str, **timing: Unpack[Timing]) -> None:
        """Calls get errcode 0 and `Warning: wrong json format`; with `after=False` nothing was changed."""
        self._add(FaultKind.WARNING, path, {"after": True, **timing})

    def cut(self, path: str, **timing: Unpack[Timing]) -> None:
        """Calls get HTTP 200 and the first half of their answer; with `after=False` nothing was changed."""
        self._add(FaultKind.CUT, path, {"after": True, **timing})

    def text_errcode(self, path: str, **timing: Unpack[Timing]) -> None:
        """Calls get their errcode as a text; with `after=False` it is that of a busy WeCom, "-1"."""
        self._add(FaultKind.TEXT_ERRCODE, path, {"after": True, **timing})

    def huge(self, path: str, **timing: Unpack[Timing]) -> None:
        """Calls get their answer with 10 MB of padding; with `after=False` that of a busy WeCom."""
        self._add(FaultKind.HUGE, path, {"after": True, **timing})

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
            if fault.chance < 1 and self._throw() >= fault.chance:
                continue
            if fault.times is not None:
                fault.times -= 1
                if not fault.times:
                    self.waiting.remove(fault)
            return fault
        return None

    def _throw(self) -> float:
        """The next of the seed's numbers from 0 to 1."""
        self._throws += 1
        digest = blake2b(f"{self.seed} {self._throws}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64

    def _add(
        self,
        kind: FaultKind,
        path: str,
        timing: Timing,
        *,
        errcode: int = 0,
        status: int = 0,
        seconds: float = 0.0,
    ) -> None:
        times, skip, chance = timing.get("times", 1), timing.get("skip", 0), timing.get("chance", 1.0)
        if (times is not None and times < 1) or skip < 0:
            raise ValueError("a fault meets at least one call and skips none or more")
        if not 0 < chance <= 1:
            raise ValueError("a chance is above 0 and at most 1")
        self.waiting.append(
            Fault(
                kind=kind,
                path=path,
                times=times,
                skip=skip,
                is_after=timing.get("after", False),
                where=timing.get("where"),
                chance=chance,
                errcode=errcode,
                status=status,
                seconds=seconds,
            )
        )
