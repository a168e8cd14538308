"""All sources of a sync become one desired directory, with everything that could not be used."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from wxsync.config.settings import SyncSettings
from wxsync.model.change import Kind, Rejected
from wxsync.model.desired import Aside, Desired, ReadingProof
from wxsync.model.member import Member
from wxsync.sources.base import RowStream, Source
from wxsync.sources.departments import DepartmentRow, to_department_row
from wxsync.sources.duplicates import duplicates
from wxsync.sources.joining import Joining, read_addition
from wxsync.sources.leaders import lead
from wxsync.sources.mapping import MemberRules
from wxsync.sources.marks import Memberships, Settler
from wxsync.sources.opening import Joined, Streams, open_streams
from wxsync.sources.people import People, read_people
from wxsync.sources.proof import with_canaries
from wxsync.sources.tagging import Tagging, clean_rules
from wxsync.sources.tree import Tree, grow
from wxsync.sources.watching import take_marks


def read_desired(sources: Sequence[Source], sync: SyncSettings, now: datetime, *, sync_name: str) -> Desired:
    """What all sources want of the corp at `now`, read in one consistent look at each of them.

    The first source is the authority on who exists. Later ones add columns to its rows by key, and
    membership and tag rows of their own. Raises ConfigError, before any row is mapped, where an
    expression names a column that no source gives; SourceError where a source cannot be read.
    """
    canaries = {source.name: source.canaries for source in sources}
    with ExitStack() as stack:
        sessions = [(source.name, stack.enter_context(source.open())) for source in sources]
        marks = take_marks(sessions)
        return _Reading(sync, now, canaries).read(open_streams(sessions, sync_name, sync), marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """Those who are wanted and usable, and the rejects of those who turned out not to be."""

    members: Mapping[str, Member]
    rejected: Mapping[str, tuple[Rejected, ...]]


class _Reading:
    """Walks through every query once, in an order in which each row can be judged as it comes."""

    def __init__(self, sync: SyncSettings, now: datetime, canaries: Mapping[str, Sequence[str]]) -> None:
        self._sync = sync
        self._canaries = canaries
        self._rules = clean_rules(sync.tags)
        self._member_rules = MemberRules.of(sync, self._rules, now)
        self._readings: list[ReadingProof] = []
        self._keyless: list[Rejected] = []
        self._asides: list[Aside] = []
        self._lacking: Mapping[str, frozenset[str]] = {}

    def read(self, streams: Streams, marks: Mapping[str, str]) -> Desired:
        tree = self._tree(streams.departments)
        people = self._people(streams.members)
        memberships = Memberships(people, tree)
        for stream in streams.memberships:
            self._prove(stream, memberships.read(stream))
            self._readings[-1] = memberships.outsiders.told_in(self._readings[-1])
        settled = self._settle(people, tree, memberships)
        led = lead(settled.members, people)
        tagging = Tagging(people, led.members)
        tagging.apply_rules(name for name, _ in self._rules)
        for stream in streams.tags:
            self._prove(stream, tagging.read(stream))
            self._readings[-1] = tagging.outsiders.told_in(self._readings[-1])
        refused = {**people.refused, **settled.rejected}
        return Desired(
            departments=tree.departments,
            members=led.members,
            tags=tagging.tags(),
            rejected=(
                *self._keyless,
                *tree.rejected,
                *(each for rejects in refused.values() for each in rejects),
                *memberships.rejected,
                *tagging.rejected,
            ),
            rejected_members=frozenset(refused),
            held_departments=tree.held,
            leavers=people.leavers,
            starts={key: day for key in led.members if (day := people.candidates[key].starts) is not None},
            undecided_places=frozenset(tagging.undecided_places),
            undecided_tags=frozenset(tagging.undecided_tags),
            empty_tags=tagging.empty,
            undecided_memberships=frozenset(memberships.undecided),
            leaders_left_out=led.left_out,
            readings=tuple(self._readings),
            marks=marks,
            asides=tuple(self._asides),
            lacking=self._lacking,
            places_are_mapped=self._sync.member.departments is not None or bool(streams.memberships),
            tags_are_mapped=bool(self._rules or streams.tags),
            root_key=tree.root_key,
        )

    def _prove(self, stream: RowStream, unreadable_keys: int, keys: Collection[str] | None = None) -> bool:
        """Put on record how the reading went; of people, `keys` are those that it has."""
        proof = replace(stream.proof, unreadable_keys=unreadable_keys)
        if keys is not None:
            proof = with_canaries(proof, self._canaries.get(proof.source, ()), keys)
        self._readings.append(proof)
        return proof.is_complete

    def _tree(self, joined: Joined) -> Tree:
        mapping = self._sync.department
        joining = self._joining(joined, Kind.DEPARTMENT)
        rows: list[DepartmentRow] = []
        keyless: list[Rejected] = []
        for row in joined.stream:
            department = to_department_row(row, mapping, joining)
            if isinstance(department, Rejected):
                keyless.append(department)
            else:
                rows.append(department)
        self._keyless.extend(keyless)
        self._asides.extend(joining.asides())
        self._prove(joined.stream, len(keyless))
        return grow(rows, self._sync.root_department)

    def _people(self, joined: Joined) -> People:
        joining = self._joining(joined, Kind.MEMBER)
        people = read_people(joined.stream, self._member_rules, joining)
        self._keyless.extend(people.keyless)
        self._asides.extend(joining.asides())
        self._lacking = joining.lacking()
        self._prove(joined.stream, len(people.keyless), people.keys)
        return people

    def _joining(self, joined: Joined, kind: Kind) -> Joining:
        is_of_people = kind is Kind.MEMBER
        key = self._sync.member.key if is_of_people else self._sync.department.key
        additions = []
        for later in joined.later:
            addition = read_addition(later, kind, key)
            self._keyless.extend(addition.keyless)
            keys = addition.rows.keys() if is_of_people else None
            is_proven = self._prove(later.stream, len(addition.keyless), keys)
            additions.append(replace(addition, is_proven=is_proven))
        return Joining(additions)

    def _settle(self, people: People, tree: Tree, memberships: Memberships) -> _Settled:
        mapping = self._sync.member
        settler = Settler(
            people=people,
            tree=tree,
            memberships=memberships,
            root=self._sync.root_department,
            has_leaders=mapping.is_leader is not None or "is_leader" in memberships.gives,
            has_orders=mapping.order is not None or "order" in memberships.gives,
        )
        members: dict[str, Member] = {}
        rejected: dict[str, tuple[Rejected, ...]] = dict(memberships.refused)
        for key, person in people.candidates.items():
            if key not in rejected:
                settled = settler.settle(person)
                if isinstance(settled, Member):
                    members[key] = settled
                else:
                    rejected[key] = settled
        doubled = duplicates(members)
        for key in doubled:
            del members[key]
        return _Settled(members=members, rejected=rejected | doubled)
