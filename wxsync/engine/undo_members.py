"""The people whom a run changed, given back what they had; those whom it deleted, made anew. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from wxsync.engine.creation import UNSAID, CreationFields
from wxsync.engine.guard import is_protected
from wxsync.engine.held import HELD_LED, HELD_TAGS
from wxsync.engine.losses import NO_CONTACT
from wxsync.engine.past import PastChange
from wxsync.engine.places import in_order
from wxsync.engine.remembering import EXTATTR, value_of, with_values
from wxsync.engine.undo_ground import Finding, Ground, finding, loss, losses_by, losses_of_another
from wxsync.engine.verdicts import change_of
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.loss import Loss, LossReason
from wxsync.model.member import MEMBER_FIELDS, PLACE_FIELDS, Member, fold, ref_order
from wxsync.model.message import Message, say
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Value

Refs = tuple[DepartmentRef, ...]
CONTACTS: Final = ("mobile", "email")


@dataclass(slots=True)
class UndoneMembers:
    """What the people get back, worked out at once; what they do not, in `losses`."""

    ground: Ground
    refs: Set[DepartmentRef]
    """Departments that are there, or will be."""
    fields: dict[str, dict[str, FieldChange]] = field(default_factory=dict)
    """Key -> what somebody who is there gets back."""
    verbs: dict[str, Verb] = field(default_factory=dict)
    made_anew: dict[str, Member] = field(default_factory=dict)
    completed: set[str] = field(default_factory=set)
    """Keys of those whom an undo before this one made anew."""
    done: dict[str, PastChange] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    @classmethod
    def of(cls, done: Iterable[PastChange], ground: Ground, refs: Set[DepartmentRef]) -> UndoneMembers:
        undone = cls(ground, refs)
        listed = [past for past in done if past.kind is Kind.MEMBER]
        for past in listed:
            key = ground.key_of(past)
            undone.done[key] = past
            if past.verb is not Verb.DELETE:
                continue
            if key not in ground.actual.members:
                undone._make_anew(past, key)
            elif key in ground.made_anew:
                undone._complete(past, key)
        for past in listed:
            undone._give_back(past, ground.key_of(past))
        undone._lead_again()
        return undone

    @property
    def back(self) -> tuple[str, ...]:
        """Keys of those whom the run deleted and who are there again by an undo."""
        return (*self.made_anew, *sorted(self.completed))

    @property
    def present(self) -> frozenset[str]:
        """Keys of everybody of ours who is there when this is done."""
        return frozenset(self.ground.actual.members.keys() | self.made_anew.keys())

    def changes(self) -> Iterator[Change]:
        for _, member in sorted(self.made_anew.items()):
            why = say("run {run} deleted it: it is made anew", run=self.ground.run)
            yield change_of(member, Verb.CREATE, why, CreationFields(member))
        for key, fields in sorted(self.fields.items()):
            if fields:
                why = say("run {run} changed it", run=self.ground.run)
                ordered = {name: fields[name] for name in (*MEMBER_FIELDS, *sorted(fields)) if name in fields}
                yield change_of(self._shown(key), self.verbs.get(key, Verb.UPDATE), why, ordered)

    def end_state(self) -> dict[str, Member]:
        """Everybody of ours as they are when this is done."""
        members = dict(self.ground.actual.members)
        for key, fields in self.fields.items():
            members[key] = with_values(members[key], {name: each.after for name, each in fields.items()})
        return members | self.made_anew

    def give_up(self, key: str, name: str, other: str) -> None:
        """Somebody who keeps it has this value: it is not given back."""
        past = self.done[key]
        why = say("its {field} belongs to {key}, who keeps it", field=name, key=other)
        ignored = (key, LossReason.IGNORED, (name,))
        self.losses = [each for each in self.losses if (each.key, each.reason, each.fields) != ignored]
        self.losses.append(loss(past, key, LossReason.TAKEN, why, name))
        if key not in self.made_anew:
            del self.fields[key][name]
            return
        member = with_values(self.made_anew[key], {name: UNKNOWN})
        self.made_anew[key] = member
        if not any(isinstance(getattr(member, each), str) for each in CONTACTS):
            del self.made_anew[key]

    # Those who are there

    def _give_back(self, past: PastChange, key: str) -> None:
        known = self.ground.actual.members.get(key)
        if past.verb in (Verb.CREATE, Verb.ADOPT):
            if known is not None:
                why = say("the run made it, or made it ours: it stays, an undo deletes nobody")
                self.losses.append(loss(past, key, LossReason.STAYS, why))
        elif known is None and past.verb is not Verb.DELETE:
            why = say("it is no longer there, so nothing of it can be given back")
            self.losses.append(loss(past, key, LossReason.GONE, why, *past.fields))
        elif known is not None and past.verb is Verb.DELETE and key not in self.completed:
            self.losses += losses_of_another(past, key, self._standing(past, key, known))
        elif known is not None and past.verb is not Verb.DELETE:
            self._compare(past, key, known)

    def _standing(self, past: PastChange, key: str, known: Member) -> dict[str, Value]:
        """What is there now of all that somebody held who was deleted; of lists what still is in them."""
        now = {name: value_of(known, name) for name in past.held if name not in (HELD_TAGS, HELD_LED)}
        actual, held = self.ground.actual, past.held
        if HELD_TAGS in held:
            names = cast("tuple[str, ...]", held[HELD_TAGS])
            now[HELD_TAGS] = tuple(n for n in names if n in actual.tags and key in actual.tags[n].members)
        if HELD_LED in held:
            led = cast("tuple[str, ...]", held[HELD_LED])
            there = (each for each in led if each in actual.members)
            now[HELD_LED] = tuple(each for each in there if actual.members[each].direct_leader == key)
        return now

    def _compare(self, past: PastChange, key: str, known: Member) -> None:
        written = {name: values for name, values in past.fields.items() if name != "enable"}
        findings = {name: self._finding(past, key, name, values) for name, values in written.items()}
        self.losses += losses_by(past, key, findings)
        back = {
            name: FieldChange(value_of(known, name), written[name].before)
            for name, found in findings.items()
            if found is Finding.AS_WRITTEN
        }
        fields = self._without_ignored(past, key, self._placed(past, key, known, self._led(past, key, back)))
        self.fields[key] = fields
        self._enable(past, key, known)

    def _finding(self, past: PastChange, key: str, name: str, values: FieldChange) -> Finding:
        return finding(
            name,
            values,
            value_of(self.ground.actual.members[key], name),
            doubts=self.ground.actual.doubts.get(key, {}).get(name, ()),
            on_the_way=past.on_the_way.get(name, ()),
        )

    def _enable(self, past: PastChange, key: str, known: Member) -> None:
        """Whom we disabled is enabled, and whom the run enabled is disabled, unless somebody else did."""
        if "enable" not in past.fields:
            return
        fields = self.fields.setdefault(key, {})
        if past.verb is Verb.ENABLE and known.enable is not False:
            self.verbs[key] = Verb.DISABLE
            fields["enable"] = FieldChange(known.enable, False)
        elif past.verb is Verb.DISABLE and known.enable is not True:
            if self.ground.remembered.members[key].disabled_at is None:
                why = say("somebody else disabled it, so it is not enabled")
                self.losses.append(loss(past, key, LossReason.CHANGED, why, "enable"))
                return
            self.verbs[key] = Verb.ENABLE
            fields["enable"] = FieldChange(False, True)

    def _without_ignored(
        self, past: PastChange, key: str, fields: dict[str, FieldChange]
    ) -> dict[str, FieldChange]:
        """WeCom keeps the number of whoever has activated, whatever it answers (gotcha 2)."""
        if "mobile" not in fields:
            return fields
        if key in self.ground.actual.activated:
            why = say("it has activated, and WeCom keeps the phone number that such a member has")
            del fields["mobile"]
        elif "mobile" in self.ground.remembered.members[key].unproven:
            why = say("WeCom may have ignored the phone number, and may ignore this one, if it has activated")
        else:
            return fields
        self.losses.append(loss(past, key, LossReason.IGNORED, why, "mobile"))
        return fields

    def _led(self, past: PastChange, key: str, fields: dict[str, FieldChange]) -> dict[str, FieldChange]:
        leader = fields["direct_leader"].after if "direct_leader" in fields else None
        if isinstance(leader, str) and leader not in self.present:
            del fields["direct_leader"]
            why = say("the direct leader that it had is gone")
            self.losses.append(loss(past, key, LossReason.GONE, why, "direct_leader"))
        return fields

    # Where they are

    def _placed(
        self, past: PastChange, key: str, known: Member, fields: dict[str, FieldChange]
    ) -> dict[str, FieldChange]:
        """The places that it had, all of them or none; marks only where it is."""
        asked = {name for name in PLACE_FIELDS if name in fields}
        if not asked:
            return fields
        former = fields["departments"].after if "departments" in fields else known.departments
        places = in_order(cast("Refs", former))
        if not self.refs >= set(places):
            why = say("a department that it was in is gone, so its places stay as they are")
            self.losses.append(loss(past, key, LossReason.GONE, why, *sorted(asked)))
            return {name: values for name, values in fields.items() if name not in asked}
        placed = dict(fields)
        if "departments" in fields:
            placed["departments"] = FieldChange(known.departments, places)
            main = past.held.get("main_department")
            if "main_department" not in fields and main in places and main != known.main_department:
                placed["main_department"] = FieldChange(known.main_department, main)
        for name in asked - {"departments"}:
            after = _within(name, fields[name].after, places)
            if after is UNKNOWN or after == fields[name].before:
                del placed[name]
            else:
                placed[name] = FieldChange(fields[name].before, after)
        return placed

    # Those who are made anew

    def _make_anew(self, past: PastChange, key: str) -> None:
        if (hindrance := self._hindrance(str(past.id), past.held)) is not None:
            self.losses.append(loss(past, key, *hindrance))
            return
        self.made_anew[key] = self._former(past, key)

    def _complete(self, past: PastChange, key: str) -> None:
        """What somebody lacks yet whom an undo made anew that died, or of whom a call failed."""
        known = self.ground.actual.members[key]
        lacking = {
            name: FieldChange(now, values.after)
            for name, values in CreationFields(self._former(past, key)).items()
            if (now := value_of(known, name)) in UNSAID
        }
        self.completed.add(key)
        self.fields[key] = self._led(past, key, lacking)

    def _former(self, past: PastChange, key: str) -> Member:
        """Somebody who was deleted, as far as it is known and can be again."""
        held = past.held
        values: dict[str, Any] = {name: held[name] for name in MEMBER_FIELDS if name in held}
        values |= self._former_places(past, key)
        attributes = {
            name.removeprefix(EXTATTR): value for name, value in held.items() if name.startswith(EXTATTR)
        }
        why = say("it is made anew, without its chats and its mailbox")
        self.losses.append(loss(past, key, LossReason.DELETED, why))
        member = Member(key=key, userid=str(past.id), **values)
        return replace(member, extattr=tuple(sorted(cast("Any", attributes.items()))))

    def _former_places(self, past: PastChange, key: str) -> dict[str, Value]:
        former = cast("Refs", past.held.get("departments", ()))
        places = in_order(ref for ref in former if ref in self.refs)
        if places != in_order(former):
            why = say("a department that it was in is gone")
            self.losses.append(loss(past, key, LossReason.GONE, why, "departments"))
        places = places or (self.ground.actual.root,)
        marks = {
            name: _within(name, past.held.get(name, UNKNOWN), places)
            for name in PLACE_FIELDS
            if name != "departments"
        }
        return {"departments": places, **marks}

    def _hindrance(self, userid: str, held: Mapping[str, Value]) -> tuple[LossReason, Message] | None:
        """Why somebody cannot be made anew."""
        folded = fold(userid)
        if folded in self.ground.actual.strangers or folded in self.ground.remembered.elsewhere_userids:
            return LossReason.TAKEN, say("somebody who is not ours has its userid by now")
        if not isinstance(held.get("name"), str) or not any(isinstance(held.get(n), str) for n in CONTACTS):
            return LossReason.DELETED, NO_CONTACT
        return None

    def _lead_again(self) -> None:
        """Who had a direct leader that is made anew has them again, unless they have another one now."""
        for leader in self.back:
            for key in cast("tuple[str, ...]", self.done[leader].held.get(HELD_LED, ())):
                known = self.ground.actual.members.get(key)
                if known is None or "direct_leader" in self.fields.get(key, {}):
                    continue
                if known.direct_leader in (None, UNKNOWN, leader):
                    values = FieldChange(known.direct_leader, leader)
                    self.fields.setdefault(key, {})["direct_leader"] = values

    def _shown(self, key: str) -> Member:
        known, fields = self.ground.actual.members[key], self.fields[key]
        return with_values(known, {"name": fields["name"].after}) if "name" in fields else known

    def is_protected(self, key: str) -> bool:
        """It is changed in no way, and so joins and leaves no tag either."""
        member = self.ground.actual.members.get(key) or self.made_anew[key]
        return is_protected(member.userid, self.ground.protect)


def _within(name: str, value: Value, places: Refs) -> Value:
    """What of a mark is about these departments; UNKNOWN where that is nothing that can be said."""
    if name == "main_department":
        return value if value in places else UNKNOWN
    if not isinstance(value, tuple):
        return UNKNOWN
    if name == "is_leader":
        return in_order(ref for ref in cast("Refs", value) if ref in places)
    named = {str(ref): ref for ref in places}
    pairs = (pair for pair in value if isinstance(pair, tuple) and str(pair[0]) in named)
    return tuple(
        sorted(((named[str(ref)], number) for ref, number in pairs), key=lambda pair: ref_order(pair[0]))
    )
