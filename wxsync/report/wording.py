"""How one report says things: its language, its masking, and the names of the records in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from wxsync.model.change import FieldChange, Kind
from wxsync.model.message import Message, say
from wxsync.model.plan import Limit, Plan
from wxsync.model.unknown import UNKNOWN, Value
from wxsync.report.locale import field_name, joined, name_of, translate
from wxsync.report.masking import mask, mask_by_look, mask_message

DEPARTMENT_FIELDS: Final = frozenset({"departments", "main_department", "is_leader", "parent"})
"""Fields that hold departments; a text in them is a source's key, a number is WeCom's id."""
MEMBER_FIELDS: Final = frozenset({"members", "direct_leader"})
"""Fields that hold members by their key."""

# Control characters, lone surrogates, and what embeds, overrides or isolates a writing direction.
_ACTING: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One field of one change in words: before and after, or for a list what comes and what goes."""

    label: str
    before: str | None = None
    """None in a creation, and where `added` and `removed` say it all."""
    after: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    """Places of a list that stay and get another number."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Turns values, fields and messages into the words of one report."""

    language: str
    show_personal: bool
    names: Mapping[tuple[Kind, str], str]
    """What the plan itself calls its departments and members: (kind, key) -> name."""

    def of(self, message: Message | str) -> str:
        if isinstance(message, Message) and not self.show_personal:
            message = mask_message(message)
        return visible(translate(message, self.language))

    def label(self, text: str) -> str:
        """A key or a userid."""
        return visible(text if self.show_personal else mask_by_look(text))

    def name(self, context: str, code: str) -> str:
        return name_of(context, code, self.language)

    def field(self, field: str) -> str:
        return visible(field_name(field, self.language))

    def detail(self, limit: Limit) -> str:
        """What a limit counted: a field, a query of a source, or the doubt that it raises."""
        if limit.detail is None:
            return ""
        if limit.name == "field_change":
            return self.field(limit.detail)
        return visible(self.name("doubt", limit.detail))

    def listed(self, texts: Iterable[str]) -> str:
        return joined(texts, self.language)

    def value(self, field: str, value: Value) -> str:
        """A field's value as a reader may see it."""
        shown = value if self.show_personal else mask(field, value)
        if shown is UNKNOWN:
            return self.of(say("unknown"))
        if shown is None or shown in ("", ()):
            return self.of(say("empty"))
        if isinstance(shown, tuple):
            return self.listed(self.items(field, shown))
        return self.item(field, shown)

    def items(self, field: str, values: tuple[object, ...]) -> tuple[str, ...]:
        return tuple(self.item(field, each) for each in values)

    def item(self, field: str, value: object) -> str:
        """One scalar, or one place in a list."""
        if isinstance(value, bool):
            return self.of(say("yes")) if value else self.of(say("no"))
        if isinstance(value, tuple):
            return f"{self.ref(Kind.DEPARTMENT, value[0])} = {value[1]}"
        if field == "gender" and value in ("1", "2"):
            return self.of(say("male")) if value == "1" else self.of(say("female"))
        if field in DEPARTMENT_FIELDS:
            return self.ref(Kind.DEPARTMENT, value)
        return self.ref(Kind.MEMBER, value) if field in MEMBER_FIELDS else visible(str(value))

    def ref(self, kind: Kind, ref: object) -> str:
        """A record that another one points to: by key, with the name where the plan knows it."""
        if isinstance(ref, int):
            return self.of(say("WeCom id {id}", id=ref))
        name = self.names.get((kind, str(ref)))
        key = self.label(str(ref))
        return f"{key} {visible(name)}" if name else key

    def difference(self, field: str, values: FieldChange) -> FieldLine:
        """What becomes of one field; lists that only gain and lose are told by that."""
        before, after = values.before, values.after
        if isinstance(before, tuple) and isinstance(after, tuple) and set(before) != set(after):
            return self._of_list(field, before, after)
        old, new = self.value(field, before), self.value(field, after)
        note = say("differs in what is masked") if old == new and before != after else None
        return FieldLine(
            label=self.field(field), before=old, after=new, note=self.of(note) if note is not None else ""
        )

    def _of_list(self, field: str, before: tuple[object, ...], after: tuple[object, ...]) -> FieldLine:
        """What comes, what goes, and for orders what gets another number."""
        old = {each[0]: each[1] for each in before if isinstance(each, tuple)}
        new = {each[0]: each[1] for each in after if isinstance(each, tuple)}
        both = old.keys() & new.keys()
        known_before, known_after = frozenset(before), frozenset(after)
        came = (each for each in after if each not in known_before and _place(each) not in both)
        went = (each for each in before if each not in known_after and _place(each) not in both)
        return FieldLine(
            label=self.field(field),
            added=self.items(field, tuple(came)),
            removed=self.items(field, tuple(went)),
            moved=tuple(
                f"{self.ref(Kind.DEPARTMENT, place)} {old[place]} → {number}"
                for place, number in new.items()
                if place in old and old[place] != number
            ),
        )

    def duration(self, seconds: float) -> str:
        if seconds < 1:
            return self.of(say("under a second"))
        if seconds < 100:
            return self.of(say("{seconds} s", seconds=round(seconds)))
        return self.of(say("{minutes} min", minutes=round(seconds / 60)))


def wording_for(plan: Plan, *, language: str, show_personal: bool) -> Wording:
    """The wording of a report about `plan`."""
    names = {
        (change.kind, change.key): change.name
        for change in plan.changes
        if change.key is not None and change.name
    }
    return Wording(language=language, show_personal=show_personal, names={**plan.names, **names})


def _place(item: object) -> object:
    return item[0] if isinstance(item, tuple) else None


def visible(text: str) -> str:
    """The text without anything that acts on a terminal or turns the direction of the writing."""
    return _ACTING.sub("\N{REPLACEMENT CHARACTER}", text)


def readable_time(at: datetime) -> str:
    """2026-01-31 08:00:00 UTC."""
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.strftime("%Y-%m-%d %H:%M:%S UTC")
