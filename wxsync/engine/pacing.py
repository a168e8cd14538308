"""Values that nobody knows are written in as many runs as the limits ask for; none is refused for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from wxsync.config.settings import LimitsSettings
from wxsync.engine.guard import as_kept
from wxsync.model.change import Change, Kind, Reason, Verb
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN


def paced(changes: Iterable[Change], limits: LimitsSettings, people: int) -> Iterator[Change]:
    """The same changes; of those that only fill in what is unknown, as many as a run may make.

    After an adoption everything that WeCom hides is unknown, for everybody: `wxsync baseline` is the
    quick way, and this the one that needs nobody's word. The others count first.
    """
    listed = list(changes)
    fills = [change for change in listed if _only_fills(change)]
    budget = _Budget(limits, people, [change for change in listed if not _only_fills(change)])
    chosen = {change.key for change in fills if budget.takes(change)}
    runs = -(-len(fills) // max(1, len(chosen)))
    why = say("nobody knows what it holds: to be written in a later run, {runs} in all", runs=runs)
    for change in listed:
        waits = _only_fills(change) and change.key not in chosen
        yield as_kept(change, why, Reason.UNKNOWN) if waits else change


def _only_fills(change: Change) -> bool:
    return (
        change.kind is Kind.MEMBER
        and change.verb is Verb.UPDATE
        and all(values.before is UNKNOWN for values in change.fields.values())
    )


class _Budget:
    """How many more updates, in all and of each field, a run may make."""

    def __init__(self, limits: LimitsSettings, people: int, others: Iterable[Change]) -> None:
        updates = [
            change
            for change in others
            if change.kind is Kind.MEMBER and change.verb in (Verb.UPDATE, Verb.ENABLE)
        ]
        self._left = limits.member_update.allowed(people) - len(updates)
        self._each = limits.field_change.allowed(people)
        self._used = Counter(name for change in updates for name in change.fields if name != "enable")

    def takes(self, change: Change) -> bool:
        if self._left < 1 or any(self._used[name] >= self._each for name in change.fields):
            return False
        self._left -= 1
        self._used.update(change.fields.keys())
        return True
