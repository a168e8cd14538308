"""The departments that a run changed, put back: parents, names, and those that it deleted made anew. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from wxsync.engine.losses import NO_NAME
from wxsync.engine.past import PastChange
from wxsync.engine.undo_ground import Finding, Ground, finding, loss, losses_by, losses_of_another
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.department import DEPARTMENT_FIELDS, Department
from wxsync.model.loss import Loss, LossReason
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Value

PLACE: Final = ("parent", "name")
"""What of a department no other one may have (WeCom errcode 60008)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one department gets back."""

    past: PastChange
    key: str
    fields: Mapping[str, FieldChange]
    is_new: bool = False


@dataclass(slots=True)
class UndoneDepartments:
    """What the departments get back, worked out at once; what they do not, in `losses`."""

    ground: Ground
    wishes: dict[str, Wish] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    @classmethod
    def of(cls, done: Iterable[PastChange], ground: Ground) -> UndoneDepartments:
        undone = cls(ground)
        for past in done:
            if past.kind is Kind.DEPARTMENT:
                undone._wish(past)
        while undone._hold_impossible():
            pass
        return undone

    @property
    def made_anew(self) -> frozenset[str]:
        """Keys of those that are created."""
        return frozenset(key for key, wish in self.wishes.items() if wish.is_new)

    @property
    def refs(self) -> frozenset[DepartmentRef]:
        """Every department that somebody can be put into once this is done."""
        actual = self.ground.actual
        return frozenset({actual.root, *actual.departments, *actual.foreign_departments, *self.made_anew})

    def changes(self) -> Iterator[Change]:
        for key, wish in sorted(self.wishes.items()):
            if wish.is_new or wish.fields:
                yield self._change(key, wish)

    def end_state(self) -> dict[str, Department]:
        """All departments of ours as they are when this is done."""
        departments = dict(self.ground.actual.departments)
        for key, wish in self.wishes.items():
            parent, name = self._place(key)
            known = departments.get(key)
            order = (
                wish.fields["order"].after if "order" in wish.fields else known.order if known else UNKNOWN
            )
            departments[key] = Department(
                key=key,
                parent=cast("DepartmentRef", parent),
                name=cast("str", name),
                order=cast("int", order),
                id=None if known is None else known.id,
            )
        return departments

    # What was done to each

    def _wish(self, past: PastChange) -> None:
        key = self.ground.key_of(past)
        is_there = key in self.ground.actual.departments
        if past.verb in (Verb.CREATE, Verb.ADOPT):
            if is_there:
                why = say("the run made it, or made it ours: it stays, an undo deletes nothing")
                self.losses.append(loss(past, key, LossReason.STAYS, why))
        elif past.verb is Verb.DELETE and not is_there:
            self._make_anew(past, key)
        elif past.verb is Verb.DELETE and self.ground.actual.departments[key].id == past.id:
            self._name_back(past, key)
        elif past.verb is Verb.DELETE:
            known = self.ground.actual.departments[key]
            now = {name: getattr(known, name) for name in DEPARTMENT_FIELDS}
            self.losses += losses_of_another(past, key, now)
        elif is_there:
            self._give_back(past, key)
        else:
            why = say("it is no longer there, so nothing of it can be given back")
            self.losses.append(loss(past, key, LossReason.GONE, why, *past.fields))

    def _make_anew(self, past: PastChange, key: str) -> None:
        held = {name: past.held[name] for name in DEPARTMENT_FIELDS if name in past.held}
        if not isinstance(held.get("name"), str) or "parent" not in held:
            self.losses.append(loss(past, key, LossReason.DELETED, NO_NAME))
            return
        fields = {name: FieldChange(None, value) for name, value in held.items()}
        self.wishes[key] = Wish(past=past, key=key, fields=fields, is_new=True)
        why = say("it is made anew, under another id")
        self.losses.append(loss(past, key, LossReason.DELETED, why))

    def _name_back(self, past: PastChange, key: str) -> None:
        """It was not deleted after all; a run that died may have left it under a name for a while."""
        now = self.ground.actual.departments[key].name
        name = past.held.get("name")
        if isinstance(name, str) and now in past.on_the_way.get("name", ()):
            self.wishes[key] = Wish(past=past, key=key, fields={"name": FieldChange(now, name)})

    def _give_back(self, past: PastChange, key: str) -> None:
        known = self.ground.actual.departments[key]
        doubted = self.ground.actual.doubted_names.get(key, ())
        findings = {
            name: finding(
                name,
                values,
                getattr(known, name),
                doubts=doubted if name == "name" else (),
                on_the_way=past.on_the_way.get(name, ()),
            )
            for name, values in past.fields.items()
        }
        fields = {
            name: FieldChange(getattr(known, name), past.fields[name].before)
            for name, found in findings.items()
            if found is Finding.AS_WRITTEN
        }
        self.losses += losses_by(past, key, findings)
        if fields:
            self.wishes[key] = Wish(past=past, key=key, fields=fields)

    # What cannot be

    def _hold_impossible(self) -> bool:
        """Let go of what cannot be given back: a parent that is gone, a loop, a place that is taken."""
        for hold in (self._orphans, self._looping, self._crowding):
            if found := hold():
                for key, why_not in found.items():
                    self._hold(key, why_not)
                return True
        return False

    def _orphans(self) -> dict[str, LossReason]:
        refs = self.refs
        return {
            key: LossReason.GONE
            for key, wish in self.wishes.items()
            if "parent" in wish.fields and wish.fields["parent"].after not in refs
        }

    def _looping(self) -> dict[str, LossReason]:
        """Those that would be below themselves, because something above them was moved since."""
        found: dict[str, LossReason] = {}
        for key, wish in self.wishes.items():
            if "parent" not in wish.fields:
                continue
            passed: set[Value] = set()
            ref: Value = key
            while isinstance(ref, str) and ref not in passed:
                passed.add(ref)
                ref = self._place(ref)[0]
            if ref == key:
                found[key] = LossReason.CHANGED
        return found

    def _crowding(self) -> dict[str, LossReason]:
        """Those that would stand where another one stays that has the same name."""
        standing: dict[tuple[Value, Value], list[str]] = {}
        for key in self.ground.actual.departments.keys() | self.wishes.keys():
            place = self._place(key)
            if place[1] is not UNKNOWN:
                standing.setdefault(place, []).append(key)
        refs: dict[int | None, str] = {
            department.id: key for key, department in self.ground.actual.departments.items()
        }
        foreign = {
            (refs.get(each.parent_id, each.parent_id), each.name)
            for each in self.ground.actual.foreign_departments.values()
            if each.name is not UNKNOWN
        }
        found: dict[str, LossReason] = {}
        for place, keys in standing.items():
            coming = sorted(key for key in keys if self._comes(key))
            is_free = len(coming) == len(keys) and place not in foreign
            found |= dict.fromkeys(coming[1:] if is_free else coming, LossReason.TAKEN)
        return found

    def _comes(self, key: str) -> bool:
        """It is to be put into its place by this undo, and is not there already."""
        wish = self.wishes.get(key)
        return wish is not None and (wish.is_new or not wish.fields.keys().isdisjoint(PLACE))

    def _hold(self, key: str, reason: LossReason) -> None:
        wish = self.wishes.pop(key)
        why = {
            LossReason.GONE: say("the department that it was below is gone"),
            LossReason.CHANGED: say("what it was below is by now below it"),
            LossReason.TAKEN: say("another department that stays has its name in its place"),
        }[reason]
        if wish.is_new:
            self.losses = [each for each in self.losses if (each.kind, each.key) != (Kind.DEPARTMENT, key)]
            self.losses.append(loss(wish.past, key, reason, why))
            return
        rest = {name: values for name, values in wish.fields.items() if name not in PLACE}
        if rest:
            self.wishes[key] = Wish(past=wish.past, key=key, fields=rest)
        held = (name for name in wish.fields if name in PLACE)
        self.losses.append(loss(wish.past, key, reason, why, *held))

    def _place(self, key: str) -> tuple[Value, Value]:
        """Parent and name as they are when this is done."""
        wish = self.wishes.get(key)
        known = self.ground.actual.departments.get(key)
        fields: Mapping[str, FieldChange] = {} if wish is None else wish.fields
        parent: Value = fields["parent"].after if "parent" in fields else known.parent if known else UNKNOWN
        name: Value = fields["name"].after if "name" in fields else known.name if known else UNKNOWN
        return parent, name

    def _change(self, key: str, wish: Wish) -> Change:
        known = self.ground.actual.departments.get(key)
        name = self._place(key)[1]
        why = (
            say("run {run} deleted it: it is made anew", run=self.ground.run)
            if wish.is_new
            else say("run {run} changed it", run=self.ground.run)
        )
        return Change(
            kind=Kind.DEPARTMENT,
            verb=Verb.CREATE if wish.is_new else Verb.UPDATE,
            key=key,
            id=None if known is None else known.id,
            name=name if isinstance(name, str) else None,
            fields={each: wish.fields[each] for each in DEPARTMENT_FIELDS if each in wish.fields},
            why=why,
        )
