"""What fields of members, departments and tags were, are and shall be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from wxsync.engine.actual import Actual, found_again
from wxsync.engine.drift import IN_TAG, Three
from wxsync.engine.places import Refs, in_order
from wxsync.engine.remembering import EXTATTR, value_of
from wxsync.model.change import Kind
from wxsync.model.desired import Desired
from wxsync.model.drift import DriftPlace
from wxsync.model.member import PLACE_FIELDS, TEXT_FIELDS, Member, fold, ref_order
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Unknown, Value

NOTHING: Final = Member(key="", userid="")
"""Somebody of whom nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Looks fields up on all three sides. One object a plan."""

    desired: Desired
    actual: Actual
    remembered: Remembered
    keys: Mapping[int, str]
    """Department id -> key: a department may have been adopted after somebody was put into it."""
    tagged: Mapping[str, str]
    """Folded userid -> member key, where something is noted of people in tags."""
    owns_foreign_places: bool
    """Places in departments that are not ours are the source's too (`foreign_memberships`)."""

    @classmethod
    def of(
        cls, desired: Desired, actual: Actual, remembered: Remembered, *, owns_foreign_places: bool
    ) -> Fields:
        return cls(
            desired=desired,
            actual=actual,
            remembered=remembered,
            keys={each.id: key for key, each in actual.departments.items() if each.id is not None},
            tagged={fold(each.userid): key for key, each in actual.members.items()}
            if any(kind is Kind.TAG for kind, _, _ in remembered.drifts)
            else {},
            owns_foreign_places=owns_foreign_places,
        )

    def at(self, place: DriftPlace) -> Three | None:
        """The field at `place`; None where its record is not there, or not ours."""
        kind, key, field = place
        if kind is Kind.MEMBER:
            return self.of_member(key, field) if key in self.actual.members else None
        if kind is Kind.DEPARTMENT:
            return self.of_department(key, field) if key in self.actual.departments else None
        if key not in self.actual.tags:
            return None
        if field == "name":
            return self.of_tag_name(key)
        person = self.tagged.get(field.removeprefix(IN_TAG))
        return None if person is None else self.of_tag_member(key, person)

    def of_member(self, key: str, field: str) -> Three:
        link = self.remembered.members[key]
        link = found_again(link) if link.state is LinkState.PENDING else link
        known, wanted = self.actual.members[key], self.desired.members.get(key, NOTHING)
        if field in PLACE_FIELDS:
            return self._of_places(link.member, known, wanted, field)
        wrote = value_of(link.member, field)
        return Three(
            # WeCom may have ignored it: what is there then is what was there before.
            wrote=UNKNOWN if field in link.unproven else wrote,
            shown=value_of(known, field),
            wanted=value_of(wanted, field),
            doubts=link.doubts.get(field, ()),
            tells=(field in TEXT_FIELDS or field.startswith(EXTATTR)) and field not in link.unproven,
        )

    def _of_places(self, link: Member, known: Member, wanted: Member, field: str) -> Three:
        """Marks and orders count where somebody still is; orders, where wxsync gave one."""
        match field:
            case "departments":
                wrote, shown, asked = (self._owned(each.departments) for each in (link, known, wanted))
                return Three(wrote=wrote, shown=shown, wanted=asked, tells=False)
            case "main_department":
                # Whoever was moved out of it has none that anybody saw.
                is_known = UNKNOWN not in (link.main_department, known.main_department)
                main = self._ref(cast("DepartmentRef", link.main_department)) if is_known else UNKNOWN
                return Three(
                    wrote=main, shown=known.main_department, wanted=wanted.main_department, tells=False
                )
            case "is_leader":
                leads = self._leading(link, known)
                return Three(wrote=leads, shown=known.is_leader, wanted=wanted.is_leader, tells=False)
        given, shown_orders = self._orders(link, known)
        return Three(wrote=given, shown=shown_orders, wanted=wanted.order, tells=False)

    def _owned(self, refs: Refs | Unknown) -> Value:
        """In order, whatever order they were given in; foreign ones only where they are the source's."""
        if isinstance(refs, Unknown):
            return UNKNOWN
        named = in_order({self._ref(ref) for ref in refs})
        if self.owns_foreign_places:
            return named
        return tuple(ref for ref in named if isinstance(ref, str) or ref == self.actual.root)

    def _leading(self, link: Member, known: Member) -> Value:
        if isinstance(link.is_leader, Unknown):
            return UNKNOWN
        places = cast("Refs", known.departments)
        return in_order(named for ref in link.is_leader if (named := self._ref(ref)) in places)

    def _orders(self, link: Member, known: Member) -> tuple[Value, Value]:
        if isinstance(link.order, Unknown) or isinstance(known.order, Unknown):
            return UNKNOWN, known.order
        places = cast("Refs", known.departments)
        given = [(named, number) for ref, number in link.order if (named := self._ref(ref)) in places]
        refs = {ref for ref, _ in given}
        shown = [pair for pair in known.order if pair[0] in refs]
        return _by_ref(given), _by_ref(shown)

    def _ref(self, ref: DepartmentRef) -> DepartmentRef:
        return self.keys.get(ref, ref) if isinstance(ref, int) else ref

    def of_department(self, key: str, field: str) -> Three:
        link, known = self.remembered.departments[key], self.actual.departments[key]
        wanted = self.desired.departments.get(key)
        wrote: Value = UNKNOWN
        if link.state is LinkState.OURS:
            parent = UNKNOWN if link.parent_id is None else self._ref(link.parent_id)
            wrote = {"name": link.name, "order": link.order, "parent": parent}[field]
        return Three(
            wrote=wrote,
            shown=getattr(known, field),
            wanted=UNKNOWN if wanted is None else getattr(wanted, field),
            doubts=link.doubted_names if field == "name" else (),
            tells=field == "name",
        )

    def of_tag_name(self, name: str) -> Three:
        """A tag is known by its name: another one is always a hand's."""
        drift = self.remembered.drifts.get((Kind.TAG, name, "name"))
        is_open = drift is not None and drift.is_counted
        shown = self.actual.tags[name].shown_name or name
        return Three(wrote=UNKNOWN if is_open else name, shown=shown, wanted=name, tells=False)

    def of_tag_member(self, name: str, key: str) -> Three:
        """Whether a member of ours whom wxsync put into a tag is in it, and shall be."""
        wanted, link = self.desired.tags.get(name), self.remembered.tags[name]
        is_ours = fold(self.actual.members[key].userid) in link.userids
        is_there = key in self.actual.tags[name].members
        # Put in by a call whose end nobody knows: no hand took out who never was in it.
        is_open = is_ours and not is_there and link.id in self.remembered.tags_in_doubt
        return Three(
            wrote=UNKNOWN if is_open else is_ours,
            shown=is_there,
            wanted=wanted is not None and key in wanted.members,
            tells=False,
        )


def _by_ref(orders: list[tuple[DepartmentRef, int]]) -> Value:
    return tuple(sorted(orders, key=lambda pair: ref_order(pair[0])))
