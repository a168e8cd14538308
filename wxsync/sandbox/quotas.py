"""How often a corp and an address may call, and what happens above that (WeCom pages 90312, 90313)."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from wxsync.sandbox.rates import DAY, HOUR, MINUTE, day_of

MONTH: Final = 30 * DAY
ACCOUNTS_PER_CAP: Final = 3
"""So many times its account cap a corp may create in a month."""
MISSES: Final = 0.2
"""Look-ups by mobile that find nobody may be this share of the corp, then the day is over for the call."""
DEBUG_CALLS: Final = 5
"""A minute, of one path with `debug=1` in its query."""
TICK: Final = 0.1
"""Windows slide by so many seconds, in the caller's favour: arrival is not departure."""


class Violation(StrEnum):
    """A quota that was overstepped, by the name under which the counters have it."""

    CORP_MINUTE = "corp_minute"
    CORP_HOUR = "corp_hour"
    IP_MINUTE = "ip_minute"
    IP_HOUR = "ip_hour"
    DEBUG = "debug"
    AT_ONCE = "at_once"
    """Concurrency."""
    BANNED = "banned"
    """A call from an address that is banned for wrong secrets."""
    LOOKUPS = "lookups"
    """A look-up by mobile on a day on which too many found nobody."""
    CREATIONS = "creations"
    """A creation above three times the account cap in 30 days."""


@dataclass(slots=True)
class Gauge:
    """What came within a sliding window; that it slides is the strict reading of "a minute"."""

    seconds: float
    count: int = 0
    blocked_until: float = 0.0
    _slots: deque[list[float]] = field(default_factory=deque, repr=False)

    def is_full(self, now: float, most: int) -> bool:
        """No more is let in; from the first refusal on nothing is for as long as the window is."""
        if now < self.blocked_until:
            return True
        while self._slots and self._slots[0][0] <= now - self.seconds:
            self.count -= int(self._slots.popleft()[1])
        if self.count < most:
            return False
        self.blocked_until = now + self.seconds
        return True

    def add(self, now: float) -> None:
        """One more came."""
        if self._slots and now - self._slots[-1][0] < TICK:
            self._slots[-1][1] += 1
        else:
            self._slots.append([now, 1])
        self.count += 1


@dataclass(frozen=True, slots=True)
class Rule:
    """At most so many in so many seconds for one key."""

    violation: Violation
    key: str
    seconds: float
    most: int | None


@dataclass(slots=True)
class Quotas:
    """What one sandbox has counted."""

    violations: Counter[str] = field(default_factory=Counter)
    _gauges: dict[tuple[Violation, str], Gauge] = field(default_factory=dict)
    _banned_until: dict[str, float] = field(default_factory=dict)
    _misses: Counter[int] = field(default_factory=Counter)
    """Day -> look-ups by mobile that found nobody."""
    _blocked_day: int = -1

    def spend(self, rules: tuple[Rule, ...], now: float) -> Violation | None:
        """Count a call under all rules, or under none and tell the first that it breaks."""
        gauges = [
            (rule, self._gauge(rule.violation, rule.key, rule.seconds), rule.most)
            for rule in rules
            if rule.most is not None
        ]
        for rule, gauge, most in gauges:
            if gauge.is_full(now, most):
                return self.violate(rule.violation)
        for _, gauge, _ in gauges:
            gauge.add(now)
        return None

    def violate(self, violation: Violation) -> Violation:
        self.violations[violation] += 1
        return violation

    # Wrong secrets

    def note_wrong_secret(self, ip: str, now: float, most: int | None) -> None:
        """After `most` wrong secrets within an hour the address is banned for an hour."""
        if most is None:
            return
        gauge = self._gauge(Violation.BANNED, ip, HOUR)
        gauge.add(now)
        if gauge.is_full(now, most):
            self._banned_until[ip] = now + HOUR

    def is_banned(self, ip: str, now: float) -> bool:
        return now < self._banned_until.get(ip, 0.0)

    # Look-ups by mobile

    def note_miss(self, now: float, members: int) -> None:
        """A look-up found nobody; above a fifth of the corp the rest of the day is blocked."""
        day = day_of(now)
        self._misses[day] += 1
        if self._misses[day] > members * MISSES:
            self._blocked_day = day

    def are_lookups_blocked(self, now: float) -> bool:
        return self._blocked_day == day_of(now)

    # Creations

    def may_create(self, now: float, account_cap: int | None) -> bool:
        """A corp creates at most three times its account cap within 30 days."""
        if account_cap is None:
            return True
        gauge = self._gauge(Violation.CREATIONS, "", MONTH)
        return not gauge.is_full(now, ACCOUNTS_PER_CAP * account_cap)

    def note_creation(self, now: float) -> None:
        self._gauge(Violation.CREATIONS, "", MONTH).add(now)

    def _gauge(self, violation: Violation, key: str, seconds: float) -> Gauge:
        return self._gauges.setdefault((violation, key), Gauge(seconds))


def rules_of_call(
    path: str,
    ip: str,
    *,
    is_debug: bool,
    minute: int | None,
    hour: int | None,
    ip_minute: int | None,
    ip_hour: int | None,
) -> tuple[Rule, ...]:
    """All rules under which one call falls."""
    here = f"{ip} {path}"
    return (
        Rule(Violation.DEBUG, path, MINUTE, DEBUG_CALLS if is_debug else None),
        Rule(Violation.CORP_MINUTE, path, MINUTE, minute),
        Rule(Violation.CORP_HOUR, path, HOUR, hour),
        Rule(Violation.IP_MINUTE, here, MINUTE, ip_minute),
        Rule(Violation.IP_HOUR, here, HOUR, ip_hour),
    )
