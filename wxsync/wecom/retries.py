"""How often a call is tried again and after what pause: pure, the transport does the sleeping.

A loop of our own rather than stamina's: the pause depends on what went wrong before, a repeat on whether the
call has its effect once, and one answer (45009) holds up every other call of its kind.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wxsync.errors import WeComError, WeComTransportError
from wxsync.wecom.answers import Remedy, Setback


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much a call puts up with: repeats by remedy, and seconds."""

    reconnects: int = 3
    busy_repeats: int = 3
    """WeCom asks for no more than three (WeCom page 90313)."""
    crowded_repeats: int = 6
    limit_waits: int = 2
    """After that the hour's limit is the likely cause, which nobody waits for inside a run."""
    lag_repeats: int = 1
    first_pause: float = 0.5
    longest_pause: float = 8.0
    limit_pause: float = 61.0
    """WeCom blocks for as long as the window is (WeCom page 90312)."""

    def repeats(self, remedy: Remedy) -> int:
        return {
            Remedy.NONE: 0,
            Remedy.RECONNECT: self.reconnects,
            Remedy.BUSY: self.busy_repeats,
            Remedy.CROWDED: self.crowded_repeats,
            Remedy.LIMITED: self.limit_waits,
            Remedy.LAGGING: self.lag_repeats,
        }[remedy]

    def pause(self, remedy: Remedy, repeat: int) -> float:
        """Longer each time, and never in step with other calls that failed at the same moment."""
        if remedy is Remedy.LIMITED:
            return self.limit_pause
        longest: float = min(self.longest_pause, self.first_pause * 2**repeat)
        return longest * random.SystemRandom().uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call and what may be done where it fails."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    is_repeatable: bool
    """A repeat has the same effect as the first; creations are not."""
    echoes: frozenset[int] = frozenset()
    """Errcodes by which WeCom would answer this call if an earlier attempt of it had its effect."""
    lags: frozenset[int] = frozenset()
    """Errcodes that may pass because they name what was created a moment ago."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after a pause; where it `is_limit`, so must all calls of the same path."""

    pause: float
    is_limit: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """The call has had its effect, by an attempt whose answer nobody saw."""


SETTLED: Final = Settled()


class Course:
    """What has become of one call so far."""

    def __init__(self, call: Call, patience: Patience) -> None:
        self._call = call
        self._patience = patience
        self._repeats: Counter[Remedy] = Counter()
        self._may_have_happened = False

    def after(self, setback: Setback) -> Again | Settled | WeComError:
        """What to do next; an error is to be raised."""
        if self._may_have_happened and setback.errcode in self._call.echoes:
            return SETTLED if self._call.is_repeatable else self._nobody_knows(setback.error)
        self._may_have_happened |= setback.may_have_happened
        if setback.is_ambiguous and not self._call.is_repeatable:
            return setback.error
        remedy = self._remedy(setback)
        repeat = self._repeats[remedy]
        if repeat >= self._patience.repeats(remedy):
            return self._last(setback.error)
        self._repeats[remedy] += 1
        return Again(self._patience.pause(remedy, repeat), remedy is Remedy.LIMITED)

    def _remedy(self, setback: Setback) -> Remedy:
        return Remedy.LAGGING if setback.errcode in self._call.lags else setback.remedy

    def _last(self, error: WeComError) -> WeComError:
        """An attempt that never got out says nothing of the one before it."""
        if isinstance(error, WeComTransportError) and self._may_have_happened:
            return WeComTransportError(error.message, is_ambiguous=True, hint=error.hint)
        return error

    def _nobody_knows(self, error: WeComError) -> WeComError:
        return WeComTransportError(
            f"{self._call.path}: an attempt failed half-way, and now WeCom has one ({error.message})",
            is_ambiguous=True,
            hint="run again: the next run finds out whether the call had its effect",
        )
