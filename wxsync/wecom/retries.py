"""How often a call is tried again and after what pause: pure, the transport does the sleeping.

A loop of our own rather than stamina's: the pause depends on what went wrong before, a repeat on whether the
call has its effect once, and what holds up other calls too (a limit, a token) is waited for elsewhere.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wxsync.errors import WeComApiError, WeComError, WeComTransportError
from wxsync.model.quota import Window
from wxsync.wecom.answers import Remedy, Setback

ANSWER_WITHIN: Final = 180.0
"""Seconds from the sending of a call to the end of its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much a call puts up with: repeats by remedy, and seconds."""

    reconnects: int = 3
    busy_repeats: int = 3
    """WeCom asks for no more than three (WeCom page 90313)."""
    crowded_repeats: int = 6
    limit_waits: int = 2
    """The minute's window and the hour's; what comes after them is a day's or a month's."""
    longest_wait: float = 3700.0
    """Seconds that a limit is waited for: an hour's is, a day's is not. Less where somebody looks on."""
    token_repeats: int = 3
    """The first with a new token at once, the others as `wecom.tokens` has it: after 1 and 2 seconds."""
    lag_repeats: int = 1
    first_pause: float = 0.5
    longest_pause: float = 8.0
    answer_within: float = ANSWER_WITHIN

    def repeats(self, remedy: Remedy) -> int:
        return {
            Remedy.NONE: 0,
            Remedy.RECONNECT: self.reconnects,
            Remedy.BUSY: self.busy_repeats,
            Remedy.CROWDED: self.crowded_repeats,
            Remedy.LIMITED: self.limit_waits,
            Remedy.LAGGING: self.lag_repeats,
            Remedy.TOKEN: self.token_repeats,
        }[remedy]

    def pause(self, remedy: Remedy, repeat: int) -> float:
        """Longer each time, and never in step with other calls that failed at the same moment.

        A limit and a token are waited for where they are kept, not here.
        """
        if remedy in (Remedy.LIMITED, Remedy.TOKEN):
            return 0.0
        longest: float = min(self.longest_pause, self.first_pause * 2**repeat)
        return longest * random.SystemRandom().uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call and what may be done where it fails."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    content_type: str | None = None
    is_repeatable: bool
    """A repeat has the same effect as the first; creations are not."""
    repeatable_for: float | None = None
    """Seconds after an attempt that may have had its effect within which a repeat has none; None: always."""
    echoes: frozenset[int] = frozenset()
    """Errcodes by which WeCom would answer this call if an earlier attempt of it had its effect."""
    lags: frozenset[int] = frozenset()
    """Errcodes that may pass because they name what was created a moment ago."""
    windows: tuple[Window, ...] = ()
    """What it counts under beside what all calls of its path do."""
    missed: Window | None = None
    """What it counts under only where the answer is one of `miss_errcodes`."""
    miss_errcodes: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after a pause."""

    pause: float


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
        self._sent_at: float | None = None
        self._may_have_happened_at: float | None = None

    def begin(self, now: float) -> None:
        """An attempt goes out."""
        self._sent_at = now

    @property
    def latest(self) -> float | None:
        """The moment after which no attempt may go out; None where there is none."""
        since, span = self._may_have_happened_at, self._call.repeatable_for
        return None if since is None or span is None else since + span

    def is_late(self, moment: float) -> bool:
        """A repeat at `moment` may have its effect a second time; with a clock that was put back, too."""
        since, latest = self._may_have_happened_at, self.latest
        return since is not None and latest is not None and not since <= moment <= latest

    def after(self, setback: Setback, *, now: float) -> Again | Settled | WeComError:
        """What to do next; an error is to be raised."""
        if self._may_have_happened and setback.errcode in self._call.echoes:
            return SETTLED if self._call.is_repeatable else self._nobody_knows(setback.error)
        self._may_have_happened |= setback.may_have_happened
        if setback.may_have_happened and self._may_have_happened_at is None:
            self._may_have_happened_at = self._sent_at
        if setback.is_ambiguous and not self._call.is_repeatable:
            return self._last(setback.error)
        remedy = self._remedy(setback)
        if remedy is Remedy.BUSY and not self._call.is_repeatable and not self._call.echoes:
            # "System busy" may come after the effect, and a second one of these would show no trace of the
            # first: an invitation, a chat post.
            return self._last(setback.error)
        repeat = self._repeats[remedy]
        if repeat >= self._patience.repeats(remedy):
            return self._last(setback.error)
        self._repeats[remedy] += 1
        pause = self._patience.pause(remedy, repeat)
        return self._last(setback.error) if self.is_late(now + pause) else Again(pause)

    def _remedy(self, setback: Setback) -> Remedy:
        return Remedy.LAGGING if setback.errcode in self._call.lags else setback.remedy

    def _last(self, error: WeComError) -> WeComError:
        """An attempt that never got out, or was refused, says nothing of the one before it."""
        if not self._may_have_happened:
            return error
        if isinstance(error, WeComTransportError):
            return WeComTransportError(error.message, is_ambiguous=True, hint=error.hint)
        if isinstance(error, WeComApiError):
            return type(error)(
                error.endpoint, error.errcode, error.errmsg, hint=error.hint, is_ambiguous=True
            )
        return error

    def _nobody_knows(self, error: WeComError) -> WeComError:
        return WeComTransportError(
            f"{self._call.path}: an attempt failed half-way, and now WeCom has one ({error.message})",
            is_ambiguous=True,
            hint="run again: the next run finds out whether the call had its effect",
        )


def too_late(path: str) -> Setback:
    """For an attempt that is not made, since an earlier one may have had the effect that it would have."""
    return Setback(
        WeComTransportError(
            f"{path}: not sent again: an attempt failed half-way, and WeCom would no longer know the next"
            " one for its repeat",
            is_ambiguous=True,
            hint="see whether it had its effect before it is made again",
        )
    )
