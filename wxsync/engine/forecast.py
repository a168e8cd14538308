"""What carrying a plan out will take: calls and seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from wxsync.engine.schedule import Unit
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.plan import Forecast

AT_ONCE: Final = 10
"""Calls under way at the same time (contacts.md §9: stay at 10 to 20)."""
SECONDS_A_CALL: Final = 0.1
"""A round trip to WeCom and back, as seen from mainland China; an assumption, kept here."""
CALLS_A_SECOND: Final = 10_000 / 60
"""WeCom page 90312: 10,000 calls a minute for a corp and an API."""
CALLS_AN_HOUR: Final = 150_000
"""WeCom page 90312, likewise."""
PACE: Final = min(AT_ONCE / SECONDS_A_CALL, CALLS_A_SECOND)
"""Calls a second where nothing has to wait for another."""
TAG_MEMBERS_A_CALL: Final = 1000


def forecast(changes: Sequence[Change], units: Iterable[Unit]) -> Forecast:
    """Departments go one at a time, everything else side by side, never faster than the quota."""
    one_by_one = side_by_side = 0
    for unit in units:
        for part in unit.parts:
            change = changes[part.n - 1]
            if change.verb is Verb.ADOPT or (part.fields is not None and not part.fields):
                continue
            if change.kind is Kind.DEPARTMENT:
                one_by_one += 1
            else:
                side_by_side += _calls_of(change)
    full_hours, rest = divmod(max(side_by_side - 1, 0), CALLS_AN_HOUR)
    seconds = one_by_one * SECONDS_A_CALL + full_hours * 3600 + (rest + bool(side_by_side)) / PACE
    return Forecast(calls=one_by_one + side_by_side, seconds=round(seconds, 1))


def _calls_of(change: Change) -> int:
    if change.kind is not Kind.TAG:
        return 1
    calls = int(change.verb in (Verb.CREATE, Verb.DELETE))
    values = change.fields.get("members")
    if values is not None:
        before = set(values.before) if isinstance(values.before, tuple) else set()
        after = set(values.after) if isinstance(values.after, tuple) else set()
        calls += -(-len(after - before) // TAG_MEMBERS_A_CALL) + -(-len(before - after) // TAG_MEMBERS_A_CALL)
    return calls + ("foreign_members" in change.fields)
