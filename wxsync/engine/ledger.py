"""What is known while a plan is carried out: ids as they are given, links as they come to stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, cast

from wxsync.engine.decide import Decision
from wxsync.engine.remembering import (
    EXTATTR,
    as_created,
    as_written,
    value_of,
    with_values,
    without_belief_in,
)
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.member import TEXT_FIELDS, Member, fold
from wxsync.model.remembered import (
    LinkState,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
)
from wxsync.model.seen import SeenDepartment
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Value

GAP: Final = 100
"""Our ids keep this distance from those that WeCom gives to departments made by hand meanwhile: a
department with an id of ours that we did not make must not be taken for ours."""


class Ledger:
    """The mirror's links as this run has them in mind; the recorder writes down what it says."""

    def __init__(self, decision: Decision, now: datetime) -> None:
        self._decision = decision
        self._now = now
        self.departments = dict(decision.remembered.departments)
        self.members = dict(decision.remembered.members)
        self.tags = dict(decision.remembered.tags)
        self._ids = {
            key: cast("int", department.id) for key, department in decision.actual.departments.items()
        } | {
            cast("str", change.key): cast("int", change.id)
            for change in decision.plan.changes
            if change.kind is Kind.DEPARTMENT and change.verb is Verb.ADOPT
        }
        self._userids = {key: member.userid for key, member in decision.actual.members.items()}
        self._last_department_id = GAP + max(
            1, decision.remembered.highest_department_id, *decision.actual.department_ids
        )
        # In the order of the plan and not of the calls, which run side by side: the same plan
        # always gives the same ids.
        new_tags = (
            cast("str", change.key)
            for change in decision.plan.changes
            if change.kind is Kind.TAG and change.verb is Verb.CREATE
        )
        last_tag_id = max(0, decision.remembered.highest_tag_id, *decision.actual.tag_ids, 0)
        self._new_tag_ids = {name: id for id, name in enumerate(new_tags, last_tag_id + 1)}

    # Departments

    def department_id(self, ref: DepartmentRef) -> int | None:
        """The WeCom id of a department; None where it is not there (yet)."""
        return ref if isinstance(ref, int) else self._ids.get(ref)

    def announce_department(self, change: Change) -> RememberedDepartment:
        """A new department, with an id that nobody has or ever had."""
        self._last_department_id += 1
        fields = change.fields
        link = RememberedDepartment(
            key=cast("str", change.key),
            id=self._last_department_id,
            state=LinkState.PENDING,
            parent_id=self.department_id(cast("DepartmentRef", fields["parent"].after)),
            name=cast("str", fields["name"].after),
            order=cast("int", fields["order"].after) if "order" in fields else UNKNOWN,
        )
        self.departments[link.key] = link
        return link

    def keep_department(self, link: RememberedDepartment) -> RememberedDepartment:
        """The department is there and is ours."""
        self.departments[link.key] = replace(link, state=LinkState.OURS)
        self._ids[link.key] = link.id
        return self.departments[link.key]

    def adopt_department(self, change: Change) -> RememberedDepartment:
        """It becomes ours by the operator's word; its name is not known."""
        link = RememberedDepartment(
            key=cast("str", change.key), id=cast("int", change.id), state=LinkState.OURS
        )
        return self.keep_department(link)

    def doubt_department(self, change: Change) -> RememberedDepartment:
        """It is about to be written: until an answer comes it may have the old name or the new one."""
        link = self.departments[cast("str", change.key)]
        if "name" in change.fields:
            names = link.doubted_names if link.name is UNKNOWN else (link.name,)
            if names:
                names = (*names, cast("str", change.fields["name"].after))
            link = replace(link, name=UNKNOWN, doubted_names=tuple(dict.fromkeys(names)))
        if "parent" in change.fields:
            link = replace(link, parent_id=None)
        if "order" in change.fields:
            link = replace(link, order=UNKNOWN)
        self.departments[link.key] = link
        return self.departments[link.key]

    def update_department(self, change: Change) -> RememberedDepartment:
        """It was written."""
        link = self.departments[cast("str", change.key)]
        if "name" in change.fields:
            link = replace(link, name=cast("str", change.fields["name"].after), doubted_names=())
        if "parent" in change.fields:
            parent = cast("DepartmentRef", change.fields["parent"].after)
            link = replace(link, parent_id=self.department_id(parent))
        if "order" in change.fields:
            link = replace(link, order=cast("int", change.fields["order"].after))
        self.departments[link.key] = link
        return link

    def mark_department_seen(self, key: str, seen: SeenDepartment) -> RememberedDepartment | None:
        """What WeCom shows of it is what is known of it; None: nothing new."""
        link = self.departments[key]
        found = replace(link, parent_id=seen.parent_id, order=seen.order)
        if seen.name is not UNKNOWN:
            found = replace(found, name=seen.name, doubted_names=())
        if found == link:
            return None
        self.departments[key] = found
        return found

    def doubt_names(self, ids: Collection[int]) -> list[RememberedDepartment]:
        """WeCom made departments with these ids up anew: those of ours no longer have our names."""
        for key, link in self.departments.items():
            if link.id in ids and link.state is not LinkState.GONE:
                self.departments[key] = replace(link, name=UNKNOWN, doubted_names=())
        return [link for link in self.departments.values() if link.id in ids]

    def drop_department(self, key: str) -> RememberedDepartment:
        link = replace(self.departments[key], state=LinkState.GONE)
        self.departments[key] = link
        self._ids.pop(key, None)
        return link

    # Members

    def userid(self, key: str) -> str | None:
        """The userid of somebody who is in WeCom now; None for everybody else."""
        return self._userids.get(key)

    def announce_member(self, change: Change, ids: tuple[int, ...]) -> RememberedMember:
        """A new member, as it is about to be created in the departments `ids`."""
        key = cast("str", change.key)
        wanted = self._decision.desired.members[key]
        link = RememberedMember(
            state=LinkState.PENDING,
            member=replace(wanted, enable=wanted.enable is not False),
            disabled_at=self._now if wanted.enable is False else None,
            announced_department_ids=ids,
            recreated_at=self._now if key in self._decision.actual.missing_members else None,
        )
        self.members[key] = link
        return link

    def keep_member(self, link: RememberedMember) -> RememberedMember:
        """The member is there and is ours."""
        link = as_created(link)
        self.members[link.member.key] = link
        self._userids[link.member.key] = link.member.userid
        return link

    def let_go(self, key: str) -> None:
        """The mirror has the link, and no call is left for this member: the userid is all that stays."""
        del self.members[key]

    def adopt_member(self, change: Change) -> RememberedMember:
        """It becomes ours under the userid that it has; what WeCom does not show of it is not known."""
        key, userid = cast("str", change.key), cast("str", change.id)
        shown = self._decision.actual.strangers[fold(userid)].shown
        # Where WeCom's word counts, what it has is not taken for what we wrote: see Three.is_theirs.
        believed = [name for name in TEXT_FIELDS if name not in self._decision.hands.yielding]
        texts = {} if shown is None else {name: getattr(shown, name) for name in believed}
        member = Member(key=key, userid=userid, **texts)
        return self.keep_member(RememberedMember(state=LinkState.OURS, member=member))

    def without(self, link: RememberedMember, names: frozenset[str]) -> RememberedMember:
        """The same, with fields that were not sent and so are not known."""
        link = without_belief_in(link, names)
        self.members[link.member.key] = link
        return link

    def doubt_member(self, key: str, fields: Mapping[str, FieldChange], verb: Verb) -> RememberedMember:
        """These fields are about to be written: until an answer comes nobody knows what they hold.

        A run that dies here leaves them unknown, with what they may hold; the next one writes them
        again, and takes nothing that one of them may still have.
        """
        link = self.members[key]
        known = self._decision.actual.members.get(key)
        member = link.member
        if "departments" in fields and known is not None:
            # Marks of departments left earlier are still in the link: somebody who comes back there
            # comes without them.
            member = replace(member, is_leader=known.is_leader, order=known.order)
        is_disabling = verb is Verb.DISABLE and "enable" in fields
        link = replace(
            link,
            member=with_values(member, dict.fromkeys(fields, UNKNOWN)),
            doubts={**link.doubts, **_doubts(link, fields)},
            disabled_at=self._now if is_disabling else link.disabled_at,
        )
        self.members[key] = link
        return link

    def update_member(self, key: str, fields: Mapping[str, FieldChange], verb: Verb) -> RememberedMember:
        """These fields were written, and answered with ok."""
        link = as_written(self.members[key], {name: each.after for name, each in fields.items()}, verb)
        self.members[key] = link
        return link

    def restore_member(self, link: RememberedMember) -> RememberedMember:
        """Nothing was written: what was known of the member before is known again."""
        self.members[link.member.key] = link
        return link

    def forget_member(self, key: str) -> None:
        """It never came about."""
        del self.members[key]

    def drop_member(self, key: str) -> RememberedMember:
        link = replace(self.members[key], state=LinkState.GONE, gone_at=self._now)
        self.members[key] = link
        self._userids.pop(key, None)
        return link

    def mark_left(self, key: str) -> RememberedMember:
        """Since now this member is a leaver."""
        self.members[key] = replace(self.members[key], left_at=self._now)
        return self.members[key]

    def mark_missing(self, key: str) -> RememberedMember:
        """WeCom was seen without it."""
        self.members[key] = replace(self.members[key], missing_since=self._now)
        return self.members[key]

    def mark_seen(self, key: str, *, shows_mobile: bool) -> RememberedMember | None:
        """What WeCom shows of it is what is known of it, also once it is hidden; None: nothing new."""
        link = self.members[key]
        known = self._decision.actual.members[key]
        member = replace(known, departments=link.member.departments)
        told = {name for name in link.doubts if value_of(known, name) is not UNKNOWN}
        seen = replace(
            link,
            member=member,
            doubts={name: values for name, values in link.doubts.items() if name not in told},
            unproven=link.unproven - {"mobile"} if shows_mobile else link.unproven,
            has_activated=key in self._decision.actual.activated,
        )
        if seen == link:
            return None
        self.members[key] = seen
        return seen

    def mark_moved(self, key: str) -> RememberedMember:
        """A hand put it where it is now."""
        link = self.members[key]
        places = self._decision.actual.members[key].departments
        self.members[key] = replace(link, member=replace(link.member, departments=places))
        return self.members[key]

    def forget_leader(self, key: str) -> RememberedMember:
        """Whoever led this member is no longer in WeCom: should they come back, they lead nobody."""
        link = self.members[key]
        self.members[key] = replace(link, member=replace(link.member, direct_leader=None))
        return self.members[key]

    def mark_wanted(self, key: str) -> RememberedMember:
        self.members[key] = replace(self.members[key], left_at=None)
        return self.members[key]

    # Tags

    def announce_tag(self, name: str) -> RememberedTag:
        """A new tag, with an id that nobody has or ever had."""
        self.tags[name] = RememberedTag(name=name, id=self._new_tag_ids[name], state=LinkState.PENDING)
        return self.tags[name]

    def adopt_tag(self, change: Change) -> RememberedTag:
        """It becomes ours; of those in it none was put there by us."""
        name = cast("str", change.key)
        self.tags[name] = RememberedTag(name=name, id=cast("int", change.id), state=LinkState.OURS)
        return self.tags[name]

    def keep_tag(self, name: str) -> RememberedTag:
        self.tags[name] = replace(self.tags[name], state=LinkState.OURS)
        return self.tags[name]

    def put_into_tag(self, name: str, userids: tuple[str, ...]) -> RememberedTag:
        """These are about to be put in by us: what we put in we may take out again."""
        link = self.tags[name]
        self.tags[name] = replace(link, userids=link.userids | {fold(userid) for userid in userids})
        return self.tags[name]

    def take_out_of_tag(self, name: str, userids: tuple[str, ...]) -> RememberedTag:
        link = self.tags[name]
        self.tags[name] = replace(link, userids=link.userids - {fold(userid) for userid in userids})
        return self.tags[name]

    def restore_tag(self, link: RememberedTag) -> RememberedTag:
        """Nothing was written."""
        self.tags[link.name] = link
        return link

    def drop_tag(self, name: str) -> RememberedTag:
        self.tags[name] = replace(self.tags[name], state=LinkState.GONE, userids=frozenset())
        return self.tags[name]


DECIDED_ELSEWHERE = frozenset({"departments", "main_department", "order", "enable"})
"""Fields that are seen, or that a known wish overwrites whatever they hold."""


def _doubts(link: RememberedMember, fields: Mapping[str, FieldChange]) -> dict[str, tuple[Value, ...]]:
    """What each of the fields may hold while a call is under way; nothing where it was not known before."""
    doubts: dict[str, tuple[Value, ...]] = {}
    attributes = dict(link.member.extattr)
    for name, change in fields.items():
        if name in DECIDED_ELSEWHERE:
            continue
        if name.startswith(EXTATTR):
            known: Value = attributes.get(name.removeprefix(EXTATTR), UNKNOWN)
        else:
            known = getattr(link.member, name)
        before = link.doubts.get(name, ()) if known is UNKNOWN else (known,)
        if before:
            doubts[name] = tuple(dict.fromkeys((*before, change.after)))
    return doubts
