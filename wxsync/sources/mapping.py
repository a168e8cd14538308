"""One row of the members query becomes one person by the config's expressions, or is rejected.

Nothing here knows any other row: what only a comparison of rows can tell (doubles, unknown
departments and leaders) is found in `people`, `marks`, `duplicates` and `leaders`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from wxsync.config.expressions import Expression, ExpressionFailed
from wxsync.config.settings import MemberMapping, SyncSettings
from wxsync.model.change import Kind, Rejected
from wxsync.model.member import TEXT_FIELDS, Text
from wxsync.model.message import Message, say
from wxsync.model.sharing import Sharing, shared
from wxsync.model.unknown import UNKNOWN, Unknown
from wxsync.sources.base import Row
from wxsync.sources.fields import COMMON_TEXTS, NORMALISERS, attribute, userid
from wxsync.sources.normal import Breach, day_of, flag, key_of, keys_of, uint32
from wxsync.sources.sheet import NOTHING, Sheet, demand_one_value, has_null


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlace:
    """One place that a row asks for, by the name that the row uses; None is root_department."""

    department: str | None
    is_leader: bool | None = None
    order: int | None = None
    is_main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A person who is wanted as far as the own row can tell."""

    key: str
    ref: str | None
    userid: str
    texts: tuple[Text, ...]
    """Those of TEXT_FIELDS, in that order; UNKNOWN where one is not mapped."""
    places: tuple[RowPlace, ...]
    main: str | None
    leader: Text
    """The direct leader, by the name that the row uses."""
    enable: bool | Unknown
    extattr: tuple[tuple[str, str | None], ...]
    starts: date | None
    """The first day, where that is yet to come."""
    tags: frozenset[str]
    undecided_tags: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaver:
    """A person whom the source itself calls inactive or past the end date."""

    key: str
    ref: str | None
    why: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A person whose row has a key and cannot be used."""

    key: str
    ref: str | None
    rejected: tuple[Rejected, ...]


Verdict = Candidate | Leaver | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRules:
    """The member mapping of a sync, made ready for many rows."""

    mapping: MemberMapping
    texts: tuple[tuple[str, Expression, Callable[[object], str | None]], ...]
    tags: tuple[tuple[str, Expression], ...]
    zone: tzinfo
    today: date
    places: Sharing[tuple[RowPlace, ...]] = field(default_factory=Sharing)

    @classmethod
    def of(cls, sync: SyncSettings, tags: tuple[tuple[str, Expression], ...], now: datetime) -> MemberRules:
        zone = ZoneInfo(sync.time_zone)
        texts = (
            (name, expression, shared(NORMALISERS[name]) if name in COMMON_TEXTS else NORMALISERS[name])
            for name in TEXT_FIELDS
            if (expression := getattr(sync.member, name)) is not None
        )
        return cls(
            mapping=sync.member,
            texts=tuple(texts),
            tags=tags,
            zone=zone,
            today=now.astimezone(zone).date(),
        )

    def judge(self, key: str, row: Row) -> Verdict:
        """Wanted, a leaver, or refused: in that order nothing is looked at that does not matter."""
        sheet = Sheet(kind=Kind.MEMBER, key=key, row=row)
        why = self._leaves(sheet)
        ref = self._ref(sheet, is_wanted=why is None and not sheet.rejected)
        if why is not None:
            return Leaver(key=key, ref=ref, why=why)
        if sheet.rejected:
            return Refused(key=key, ref=ref, rejected=tuple(sheet.rejected))
        return self._person(sheet, ref)

    def _leaves(self, sheet: Sheet) -> Message | None:
        """Why the source no longer wants this person. What cannot be told is a reject, not a leaver."""
        active, ends = self.mapping.active, self.mapping.ends
        if active is not None:
            is_active = None
            if not has_null(active, sheet.row):
                is_active = sheet.take("active", active, lambda value: flag(value, "active"), decides=True)
            if is_active is False:
                return say("the source calls this person inactive")
            if is_active is None:
                problem = say("a column that active names is null, which is neither yes nor no")
                sheet.refuse("active", Breach("null", problem))
            if is_active is not True:
                return None
        last = sheet.take("ends", ends, lambda value: day_of(value, self.zone, "ends"), decides=True)
        if isinstance(last, date) and last < self.today:
            return say("the last day was {date}", date=last.isoformat())
        return None

    def _ref(self, sheet: Sheet, *, is_wanted: bool) -> str | None:
        if self.mapping.ref is None:
            return sheet.key
        # Of a leaver nothing else is checked, so a faulty ref is no reject of theirs.
        target = sheet if is_wanted else Sheet(kind=sheet.kind, key=sheet.key, row=sheet.row)
        ref = target.take("ref", self.mapping.ref, lambda value: key_of(value, "ref"), decides=True)
        return ref if isinstance(ref, str) else None

    def _person(self, sheet: Sheet, ref: str | None) -> Candidate | Refused:
        mapping = self.mapping
        person_id = self._userid(sheet)
        taken: dict[str, Text] = {
            name: sheet.take(name, rule, form, may_be_unknown=name != "name")
            for name, rule, form in self.texts
        }
        starts = sheet.take(
            "starts", mapping.starts, lambda value: day_of(value, self.zone, "starts"), decides=True
        )
        leader = sheet.take(
            "direct_leader",
            mapping.direct_leader,
            lambda value: key_of(value, "direct_leader"),
            may_be_unknown=True,
        )
        enable = sheet.take("enable", mapping.enable, lambda value: flag(value, "enable"), decides=True)
        extattr = tuple(self._attributes(sheet))
        main = sheet.take(
            "main_department",
            mapping.main_department,
            lambda value: key_of(value, "main_department"),
            decides=True,
        )
        places = self._places(sheet)
        if sheet.rejected:
            return Refused(key=sheet.key, ref=ref, rejected=tuple(sheet.rejected))
        tags, undecided = self._tags(sheet.row)
        return Candidate(
            key=sheet.key,
            ref=ref,
            userid=person_id,
            texts=tuple(taken.get(name, UNKNOWN) for name in TEXT_FIELDS),
            places=self.places.one(places),
            main=None if main is UNKNOWN else main,
            leader=leader,
            enable=UNKNOWN if enable is None else enable,
            extattr=extattr,
            starts=starts if isinstance(starts, date) and starts > self.today else None,
            tags=tags,
            undecided_tags=undecided,
        )

    def _userid(self, sheet: Sheet) -> str:
        """The userid; "" where it is refused."""
        expression = self.mapping.userid
        value = (
            None
            if has_null(expression, sheet.row)
            else sheet.take("userid", expression, userid, decides=True)
        )
        if value is None:
            sheet.refuse("userid", Breach("null", say("userid, or a column that it names, is null")))
        return value if isinstance(value, str) else ""

    def _attributes(self, sheet: Sheet) -> Iterator[tuple[str, str | None]]:
        for name in sorted(self.mapping.extattr):
            path = f"extattr.{name}"

            def normalise(value: object, path: str = path) -> str | None:
                return attribute(value, path)

            value = sheet.take(path, self.mapping.extattr[name], normalise, may_be_unknown=True)
            if value is not UNKNOWN:
                yield name, value

    def _places(self, sheet: Sheet) -> tuple[RowPlace, ...]:
        """The row's own places with their marks, aligned; none is root_department."""
        mapping = self.mapping
        departments = sheet.take(
            "departments",
            mapping.departments,
            lambda value: keys_of(value, "departments") or (None,),
            decides=True,
        )
        if departments is UNKNOWN:
            departments = (None,)
        leads = _marks(sheet, "is_leader", mapping.is_leader, flag, len(departments))
        orders = _marks(sheet, "order", mapping.order, uint32, len(departments))
        places = tuple(
            RowPlace(department=department, is_leader=is_leader, order=order)
            for department, is_leader, order in zip(departments, leads, orders, strict=True)
        )
        # Gaps in a list are no places; where nothing but gaps is left, the first stands for "none".
        return tuple(place for place in places if place.department is not None) or places[:1]

    def _tags(self, row: Row) -> tuple[frozenset[str], frozenset[str]]:
        """The tags by rule that this person belongs to, and those that cannot be told."""
        belongs: list[str] = []
        undecided: list[str] = []
        for name, expression in self.tags:
            try:
                demand_one_value(expression, row, name)
                value = expression.evaluate(row)
            except (ExpressionFailed, Breach):
                value = None
            if value is None:
                undecided.append(name)
            elif value:
                belongs.append(name)
        return (frozenset(belongs) if belongs else NOTHING), (frozenset(undecided) if undecided else NOTHING)


def _marks(
    sheet: Sheet,
    name: str,
    expression: Expression | None,
    normalise: Callable[[object, str], Any],
    count: int,
) -> tuple[Any, ...]:
    """One mark for each of the row's departments: one value for all of them, or a list beside theirs."""

    def align(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            return (normalise(value, name),) * count
        if len(value) != count:
            problem = say(
                "{field} has {marks} values for {departments} departments",
                field=name,
                marks=len(value),
                departments=count,
            )
            raise Breach("aligned", problem)
        return tuple(normalise(each, name) for each in value)

    if expression is None:
        return (None,) * count
    marks = sheet.take(name, expression, align, decides=True)
    return (None,) * count if marks is UNKNOWN else marks
