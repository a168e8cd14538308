"""The fields in which one record differs, sorted by whose doing it is: written, or left alone and told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from wxsync.engine.drift import MOST_PUT_BACK, Hands, Handwork, Three, Verdict
from wxsync.model.change import FieldChange, Kind
from wxsync.model.member import PLACE_FIELDS
from wxsync.model.message import Message, say

Differences = Mapping[str, FieldChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Fields of one record that stay as a hand left them."""

    why: Message
    fields: Differences
    drift: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """The differences of one record, judged."""

    fields: Differences
    """To be written."""
    drift: tuple[str, ...]
    """Those of them in which a hand had a part."""
    left: tuple[Left, ...]
    handwork: tuple[Handwork, ...]

    @property
    def why(self) -> Message:
        """Why the fields are written."""
        verdicts = {each.field: each.verdict for each in self.handwork}
        if all(verdicts.get(name) is Verdict.OVERWRITTEN for name in self.fields):
            return say(
                "{fields} was changed by hand in WeCom, and by the source too, which counts",
                fields=", ".join(self.fields),
            )
        others = (name for name in self.fields if name not in self.drift)
        return why_written(", ".join(self.drift), ", ".join(others))

    @property
    def by_hand(self) -> tuple[str, ...]:
        """All in which a hand had a part, written or not."""
        return tuple(each.field for each in self.handwork)

    def without(self, name: str) -> Handed:
        """The same; one field less is written."""
        return replace(
            self,
            fields={each: values for each, values in self.fields.items() if each != name},
            drift=tuple(each for each in self.drift if each != name),
        )


def handed(
    hands: Hands, kind: Kind, key: str, fields: Differences, three_of: Callable[[str, str], Three]
) -> Handed:
    """Judge every field in which the record differs.

    WeCom takes places and the marks in them together: where the departments of somebody are left to a
    hand, so are their main department, marks and orders.
    """
    judged = {name: hands.judge(kind, key, name, three_of(key, name)) for name in fields if name != "enable"}
    waiting = _waiting(judged)
    left = {name for name, each in judged.items() if each.verdict.is_left} | waiting
    by_hand = {name: each for name, each in judged.items() if each.verdict.is_by_hand and name not in waiting}
    return Handed(
        fields={name: values for name, values in fields.items() if name not in left},
        drift=tuple(name for name in fields if name in by_hand and name not in left),
        left=tuple(
            told
            for verdict in (Verdict.ACCEPTED, Verdict.REPORTED, Verdict.CONTESTED)
            if (told := _left(hands, verdict, by_hand, fields, waiting)) is not None
        ),
        handwork=tuple(by_hand.values()),
    )


def _waiting(judged: Mapping[str, Handwork]) -> set[str]:
    """Place fields that have to wait for the departments."""
    departments = judged.get("departments")
    if departments is None or departments.kind is not Kind.MEMBER or not departments.verdict.is_left:
        return set()
    return (set(PLACE_FIELDS) & judged.keys()) - {"departments"}


def _left(
    hands: Hands,
    verdict: Verdict,
    by_hand: Mapping[str, Handwork],
    fields: Differences,
    waiting: Collection[str],
) -> Left | None:
    drift = tuple(name for name in fields if name in by_hand and by_hand[name].verdict is verdict)
    if not drift:
        return None
    more = waiting if "departments" in drift else ()
    until = max(hands.released_at(by_hand[name].place) for name in drift)
    return Left(
        why=why_left(verdict, drift, until),
        fields={name: values for name, values in fields.items() if name in drift or name in more},
        drift=drift,
    )


def why_written(by_hand: str, others: str) -> Message:
    """Why fields are written, those of a hand apart from the source's own changes."""
    if not by_hand:
        return say("{fields} differs from the source", fields=others)
    if not others:
        return say("{fields} was changed by hand in WeCom, and is put back", fields=by_hand)
    return say(
        "{hand} was changed by hand in WeCom, and is put back; {fields} differs from the source",
        hand=fields_named(by_hand),
        fields=others,
    )


def fields_named(names: str) -> Message:
    """Codes of fields as a fact beside `fields`: reports give them their names."""
    return say("{fields}", fields=names)


def why_left(verdict: Verdict, names: Collection[str], until: datetime) -> Message:
    """Why fields stay as a hand left them; `until` is when a contested one is put back again."""
    listed = ", ".join(names)
    if verdict is Verdict.ACCEPTED:
        return say(
            "{fields} was changed by hand in WeCom, whose word counts there: from now on it is known so",
            fields=listed,
        )
    if verdict is Verdict.REPORTED:
        return say("{fields} was changed by hand in WeCom: told, and not touched", fields=listed)
    return say(
        "{fields} was changed by hand in WeCom again, after it was put back {count} times in 24 hours: it"
        " stays so until {until}, or until the source changes it",
        fields=listed,
        count=MOST_PUT_BACK,
        until=until,
    )
