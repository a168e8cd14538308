"""What became of the last changes, and whether so many of them failed that the run must stop. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from wxsync.config.breaker import BreakerSettings
from wxsync.errors import BreakerError
from wxsync.model.change import Change
from wxsync.model.message import Message
from wxsync.model.run import Outcome, OutcomeState

Failure: TypeAlias = tuple[str, str, int | None]
"""Kind and key of a record, and the errcode with which it failed."""

SOME: Final = 1
"""So many failures stop nothing, of however few: one bad record never stops the others (contract §6.6)."""
NAMED: Final = 3
"""So many causes are named."""
FAILURES: Final = (OutcomeState.FAILED, OutcomeState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Noted:
    """One outcome that counts; without a failure where it was good."""

    failure: Failure | None = None
    errcode: int | None = None
    hint: Message | None = None


GOOD: Final = Noted()


def noted(change: Change, outcome: Outcome) -> Noted | None:
    """What the breaker makes of an outcome; None where it says nothing of how the run goes.

    Failed and unknown are failures. What was skipped was not tried: it counts neither way, and what made it
    skip has counted already. Nor does what was done without a call, such as an adoption.
    """
    if outcome.state in FAILURES:
        record = (change.kind.value, str(change.key), outcome.errcode)
        return Noted(record, outcome.errcode, outcome.hint)
    is_tried = outcome.state is OutcomeState.DONE and outcome.attempts > 0
    return GOOD if is_tried else None


class Breaker:
    """Counts the outcomes of one run.

    A record that failed with the same errcode in the last run is no news: once these are known they count
    for nothing, so that the same few bad records do not hold up everybody else for ever.
    """

    def __init__(self, settings: BreakerSettings) -> None:
        self._percent = Fraction(str(settings.percent))
        self._of = settings.of
        self._last: deque[Noted] = deque(maxlen=settings.of)
        self._known: AbstractSet[Failure] = frozenset()

    def note(self, some: Iterable[Noted]) -> None:
        """These outcomes came next."""
        self._last.extend(self._fresh(some))

    def forgive(self, known: AbstractSet[Failure]) -> None:
        """These failures are no news, and those of them that have been counted are none either."""
        self._known = known
        self._last = deque(self._fresh(self._last), maxlen=self._of)

    def verdict(self) -> BreakerError | None:
        """Why the run must stop: more than so many in a hundred of the last outcomes are failures."""
        return self._judged(list(self._last), self._most(self._of))

    def verdict_on_trial(self, some: Iterable[Noted]) -> BreakerError | None:
        """The same of the trial by itself."""
        fresh = self._fresh(some)
        return self._judged(fresh, max(SOME, self._most(len(fresh))))

    def verdict_on_file(self, some: Iterable[Noted]) -> BreakerError | None:
        """The same of one file by itself: of its rows none comes after another. A short one as calls are."""
        fresh = self._fresh(some)
        return self._judged(fresh, self._most(max(len(fresh), self._of)))

    def _fresh(self, some: Iterable[Noted]) -> list[Noted]:
        return [each for each in some if each.failure is None or each.failure not in self._known]

    def _most(self, of: int) -> int:
        """So many failures may be among so many outcomes."""
        return int(self._percent * of // 100)

    def _judged(self, some: Sequence[Noted], most: int) -> BreakerError | None:
        failed = [each for each in some if each.failure is not None]
        if len(failed) <= most:
            return None
        return BreakerError(
            f"{len(failed)} of the last {len(some)} changes that were tried failed, and no more than"
            f" {most} may. Most often: {'; '.join(_causes(failed))}",
            hint="mend that and run again: what is left is as it was",
        )


def _causes(failed: Sequence[Noted]) -> Iterator[str]:
    """What failed most, first: errcode, hint and how often."""
    counts = Counter((each.errcode, None if each.hint is None else each.hint.template) for each in failed)
    hints = {(each.errcode, each.hint.template): str(each.hint) for each in failed if each.hint is not None}
    for (errcode, template), count in counts.most_common(NAMED):
        name = "no errcode" if errcode is None else f"errcode {errcode}"
        hint = "" if template is None else f" ({hints[errcode, template]})"
        yield f"{count} times {name}{hint}"
