"""/healthz and /readyz: for a proxy or an orchestrator that asks whether this process is of use.

How long ago the last run was is no matter of either: that is a metric, and an alert. A daemon that is taken
out of service for it could not even be told by WeCom what changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from wxsync.errors import SchemaBehindError, WxsyncError
from wxsync.mirror.clocks import since_boot
from wxsync.mirror.schema import confirm_fit
from wxsync.mirror.store import Store
from wxsync.service.asking import Question

PATIENCE: Final = 2.0
"""Seconds for the mirror to answer in."""
LONGEST_SILENCE: Final = 180.0
"""Seconds without a sign of the loop that does the work: a plan of very many people takes some. As long as
systemd's watchdog waits (deploy/wxsync.service)."""
UNCACHED: Final = {"Cache-Control": "no-store"}


class Beat:
    """When the loop that does the work last went round: told by its thread, asked by any."""

    def __init__(self, clock: Callable[[], float] = since_boot) -> None:
        self._clock = clock
        self._last = clock()

    def __call__(self) -> None:
        """It goes round now."""
        self._last = self._clock()

    def silence(self) -> float:
        """Seconds since then."""
        return max(self._clock() - self._last, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What there is to know of this process; belongs to the loop that answers."""

    fit: Question[None]
    silence: Callable[[], float]
    """Seconds since the loop that does the work last showed that it goes round."""

    async def why_not_ready(self) -> str | None:
        """In words for anybody to read, so without names and places; None where it is."""
        try:
            await self.fit.answer()
        except TimeoutError:
            return f"the mirror gave no answer within {PATIENCE:g} s"
        except SchemaBehindError:
            return "the mirror has another schema than this version of wxsync: run `wxsync db status`"
        except WxsyncError:
            return "the mirror cannot be used: run `wxsync db status`"
        return None

    async def why_not_alive(self) -> str | None:
        """None where it is."""
        silent = self.silence()
        return None if silent < LONGEST_SILENCE else f"the loop that does the work hangs, for {silent:.0f} s"


def open_health(store: Store, silence: Callable[[], float]) -> Health:
    """Health of a process on this mirror."""
    return Health(fit=Question(partial(confirm_fit, store), patience=PATIENCE), silence=silence)


def health_routes(health: Health) -> list[Route]:
    """/healthz and /readyz, for anybody: 200, or 503 and why."""

    async def healthz(_request: Request) -> Response:
        return _said(await health.why_not_alive())

    async def readyz(_request: Request) -> Response:
        return _said(await health.why_not_alive() or await health.why_not_ready())

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


def _said(why_not: str | None) -> Response:
    status = 200 if why_not is None else 503
    return PlainTextResponse(f"{why_not or 'ok'}\n", status_code=status, headers=UNCACHED)
