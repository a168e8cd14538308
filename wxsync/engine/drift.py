"""What a hand changed in WeCom, told apart from what the source did: what was, what is, what shall be.

Pure: what is to be remembered of it is said here, and written down by the run that applies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from wxsync.config.authority import Authority, AuthoritySettings
from wxsync.model.change import Kind
from wxsync.model.drift import Drift, DriftPlace
from wxsync.model.unknown import UNKNOWN, Value

MOST_PUT_BACK: Final = 3
"""So often within `SPAN` a field is put back; then whoever changes it is told of, and no longer fought."""
SPAN: Final = timedelta(hours=24)
IN_TAG: Final = "members."
"""Before the folded userid of somebody in a tag: one place in it, where `members` is all of them."""


class Verdict(Enum):
    """Whose doing a difference is, and what becomes of it."""

    SOURCE = auto()
    """The source's, or nobody knows whose: it is written."""
    PUT_BACK = auto()
    """A hand's: the source's value is written once more."""
    OVERWRITTEN = auto()
    """A hand's, and the source has changed it too: the source's new value is written."""
    ACCEPTED = auto()
    """A hand's, and WeCom has the authority: from now on it is known."""
    STANDING = auto()
    """The same, and known already: nothing to say."""
    REPORTED = auto()
    """A hand's: told, and not touched."""
    CONTESTED = auto()
    """A hand's, after so many others: told, and not touched for now."""

    @property
    def is_left(self) -> bool:
        """Nothing is written."""
        return self in (Verdict.ACCEPTED, Verdict.STANDING, Verdict.REPORTED, Verdict.CONTESTED)

    @property
    def is_by_hand(self) -> bool:
        return self is not Verdict.SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Three:
    """One field three times."""

    wrote: Value
    """As wxsync last wrote it, or saw it in an applied run."""
    shown: Value
    """As WeCom has it, as far as we know."""
    wanted: Value
    """As the source has it."""
    doubts: tuple[Value, ...] = ()
    """Where `wrote` is UNKNOWN because nobody knows what became of a call: what it may have left."""
    tells: bool = True
    """A known value where nothing is known to be written is somebody else's word, and not one of ours."""

    @property
    def is_fresh(self) -> bool:
        """It is otherwise than at the last applied run, and no call of ours can have done it."""
        return self.wrote is not UNKNOWN and self.shown != self.wrote

    @property
    def is_theirs(self) -> bool:
        """Nothing of ours was ever there. An empty field is nobody's word."""
        is_told = self.tells and self.wrote is UNKNOWN and self.shown not in (UNKNOWN, None)
        return is_told and self.shown not in self.doubts


@dataclass(frozen=True, slots=True, kw_only=True)
class Handwork:
    """One field in which a hand had a part, and what becomes of it."""

    kind: Kind
    key: str
    field: str
    three: Three
    verdict: Verdict

    @property
    def place(self) -> DriftPlace:
        return (self.kind, self.key, self.field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Judges differences. One object a plan."""

    authority: AuthoritySettings
    yielding: Mapping[str, Authority]
    """Fields of members in which the source's word is not all."""
    drifts: Mapping[DriftPlace, Drift]
    now: datetime

    @classmethod
    def of(cls, authority: AuthoritySettings, drifts: Mapping[DriftPlace, Drift], now: datetime) -> Hands:
        return cls(authority=authority, yielding=authority.by_field, drifts=drifts, now=now)

    def judge(self, kind: Kind, key: str, field: str, three: Three) -> Handwork:
        """Whose a difference is, by what is remembered and by whose word counts.

        Where both have changed it since the last run, the source wins with authority "source", and the hand
        with the others. Later changes of the source alone are written with "source" and "wecom"; with
        "report" a hand's value stands until it and the source agree.
        """
        drift = self.drifts.get((kind, key, field))
        judged = {"source": self._put_back, "wecom": self._accepted, "report": self._reported}
        verdict = judged[self.authority_of(kind, field)](drift, three)
        return Handwork(kind=kind, key=key, field=field, three=three, verdict=verdict)

    def authority_of(self, kind: Kind, field: str) -> Authority:
        match kind:
            case Kind.MEMBER:
                return self.yielding.get(field, "source")
            case Kind.TAG:
                return self.authority.tag.name if field == "name" else self.authority.tag.members
        of_departments: dict[str, Authority] = dict(self.authority.department)
        return of_departments[field]

    def _put_back(self, drift: Drift | None, three: Three) -> Verdict:
        if drift is None or drift.base != three.wanted:
            if not three.is_fresh:
                return Verdict.SOURCE
            return Verdict.PUT_BACK if three.wrote == three.wanted else Verdict.OVERWRITTEN
        is_full = len(self.recent(drift)) >= MOST_PUT_BACK
        return Verdict.CONTESTED if is_full and self._is_uncounted(drift, three) else Verdict.PUT_BACK

    def _accepted(self, drift: Drift | None, three: Three) -> Verdict:
        if three.is_fresh:
            return Verdict.ACCEPTED
        if drift is not None:
            return Verdict.STANDING if drift.base == three.wanted else Verdict.SOURCE
        return Verdict.ACCEPTED if three.is_theirs else Verdict.SOURCE

    def _reported(self, drift: Drift | None, three: Three) -> Verdict:
        is_by_hand = drift is not None or three.is_fresh or three.is_theirs
        return Verdict.REPORTED if is_by_hand else Verdict.SOURCE

    @staticmethod
    def _is_uncounted(drift: Drift, three: Three) -> bool:
        """The hand did something since this field was last put back, or it was never tried."""
        return three.is_fresh or not drift.is_counted

    def recent(self, drift: Drift | None) -> tuple[datetime, ...]:
        """When the field was put back within `SPAN`."""
        return () if drift is None else tuple(at for at in drift.put_back_at if self.now - at < SPAN)

    def released_at(self, place: DriftPlace) -> datetime:
        """When a contested field is put back again, should nothing else happen."""
        return min(self.recent(self.drifts.get(place)), default=self.now) + SPAN

    def noted(self, handwork: Handwork, *, is_tried: bool) -> Drift:
        """What to remember of it from now on; `is_tried`: the source's value is about to be written.

        It goes on record together with the hand's value, and before the call: so what a hand did once is
        counted once, wherever the run breaks off.
        """
        three, verdict = handwork.three, handwork.verdict
        before = self.drifts.get(handwork.place)
        if before is not None and before.base != three.wanted and verdict is not Verdict.REPORTED:
            before = None
        put_back_at = self.recent(before)
        is_counted = before is not None and not self._is_uncounted(before, three)
        if is_tried and verdict is Verdict.PUT_BACK and not is_counted:
            put_back_at = (*put_back_at, self.now)
        kind, key, field = handwork.place
        return Drift(
            kind=kind,
            key=key,
            field=field,
            base=three.wanted if before is None else before.base,
            put_back_at=put_back_at,
            is_counted=is_counted
            or verdict in (Verdict.ACCEPTED, Verdict.STANDING, Verdict.REPORTED)
            or (is_tried and not verdict.is_left),
        )
