"""The work of an import, row by row, under the rules of single calls (WeCom pages 90980 to 90982)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from wxsync.sandbox import contacts, departments
from wxsync.sandbox.call import Asked
from wxsync.sandbox.job_files import Cells, PartyRow, check_userids, member_body, read_tree, userid_of
from wxsync.sandbox.job_records import RowResult, Step
from wxsync.sandbox.records import ROOT, fold
from wxsync.sandbox.refusal import Refusal
from wxsync.sandbox.state import SandboxState

CREATED: Final = 1
RENAMED: Final = 2
MOVED: Final = 4
REORDERED: Final = 8

MANY: Final = 50
"""From so many deletions on a fifth of all is too much; below, four fifths (for exactly 50: our choice)."""


# Members


def member_steps(asked: Asked, rows: Sequence[Cells], *, to_invite: bool, replaces: bool) -> tuple[Step, ...]:
    """One step a row; with `replaces` then one for everybody who is not in the file.

    Raises `Refusal` 302003, or 45026 where too many would be deleted.
    """
    check_userids(rows)
    steps = [_row_step(asked, row, to_invite=to_invite) for row in rows]
    if asked.state.jobs_go_backwards:
        steps.reverse()
    if replaces:
        present = {fold(userid_of(row)) for row in rows}
        absent = [key for key in asked.directory.members if key not in present]
        _check_protection(asked.state, absent)
        steps += [_deletion_step(asked, key) for key in absent]
    return (*steps, Step(row=None, carry_out=lambda: sweep(asked.state)))


def _check_protection(state: SandboxState, absent: Sequence[str]) -> None:
    """Not too many would be deleted at once (WeCom page 90981); the creator never is."""
    doomed = len([key for key in absent if state.creator is None or key != fold(state.creator)])
    percent = 20 if doomed >= MANY else 80
    if doomed * 100 > len(state.members) * percent:
        raise Refusal(45026)


def _row_step(asked: Asked, row: Cells, *, to_invite: bool) -> Step:
    return Step(
        row=RowResult(userid=userid_of(row)), carry_out=lambda: _put_member(asked, row, to_invite=to_invite)
    )


def _put_member(asked: Asked, row: Cells, *, to_invite: bool) -> int:
    """The member is updated, or created where nobody has the userid."""
    state = asked.state
    body = member_body(row, state.attributes, space_clears=state.space_clears)
    if fold(body.get("userid", "")) in state.members:
        contacts.update(_asking(asked, body), makes_departments=not state.strict_departments)
    else:
        contacts.create(_asking(asked, {**body, "to_invite": to_invite}))
    return 0


def _deletion_step(asked: Asked, key: str) -> Step:
    member = asked.directory.members[key]
    return Step(row=RowResult(userid=member.userid), carry_out=lambda: _delete_member(asked, key))


def _delete_member(asked: Asked, key: str) -> int:
    """Gone; one who went by another way meanwhile is no error."""
    if key in asked.directory.members:
        contacts.delete(Asked(asked.state, asked.who, {"userid": key}, {}))
    return 0


def _asking(asked: Asked, body: Mapping[str, Any]) -> Asked:
    return Asked(asked.state, asked.who, {}, body)


# Departments


def party_steps(asked: Asked, rows: Sequence[Cells]) -> tuple[Step, ...]:
    """One step a row, parents before children, and one for what is not in the file.

    Raises `Refusal` 302004, 302006 or 302007.
    """
    parties = read_tree(rows)
    steps = [_party_step(asked, parties, number) for number in range(len(parties))]
    return (*steps, Step(row=None, carry_out=lambda: _drop_absent(asked.state, parties)))


def _party_step(asked: Asked, parties: Sequence[PartyRow], number: int) -> Step:
    before = _looks(asked.state, parties[number].id)
    return Step(
        row=RowResult(partyid=parties[number].id),
        carry_out=lambda: _put_department(asked, parties, number, before),
    )


def _looks(state: SandboxState, id: int) -> tuple[str, int, int] | None:
    """What a row may change of a department, if it is there."""
    department = state.departments.get(id)
    return None if department is None else (department.name, department.parentid, department.order)


def _put_department(
    asked: Asked, parties: Sequence[PartyRow], number: int, before: tuple[str, int, int] | None
) -> int:
    """The department is created or updated; what was done, as bits."""
    party = parties[number]
    body: dict[str, Any] = {"id": party.id, "name": party.name}
    if party.id != ROOT:
        body["parentid"] = party.parentid
        _make_way(asked.state, party, parties[number + 1 :])
    if party.order is not None:
        body["order"] = party.order
    if party.id not in asked.directory.departments:
        departments.create(_asking(asked, body))
        return CREATED
    departments.update(_asking(asked, body))
    after = _looks(asked.state, party.id)
    if before is None or after is None:
        return 0
    bits = zip((RENAMED, MOVED, REORDERED), before, after, strict=True)
    return sum(bit for bit, old, new in bits if old != new)


def _make_way(state: SandboxState, party: PartyRow, later: Sequence[PartyRow]) -> None:
    """A sibling that has the name, and gets another name or place by a later row, gives it up now.

    The file says how the tree shall be in the end: that names may be swapped in it is our own choice.
    """
    sibling = state.directory.child_named(party.parentid, party.name)
    if sibling is None or all(row.id != sibling.id for row in later):
        return
    name = f"{sibling.name}#{sibling.id}"
    while state.directory.child_named(sibling.parentid, name) is not None:
        name += "#"
    state.directory.move_department(sibling, parentid=sibling.parentid, name=name)


def _drop_absent(state: SandboxState, parties: Sequence[PartyRow]) -> int:
    """What is not in the file is deleted if it is empty, else after an import that empties it."""
    present = {ROOT, *(party.id for party in parties)}
    state.jobs.doomed = {id for id in state.departments if id not in present}
    return sweep(state)


def sweep(state: SandboxState) -> int:
    """Departments that a replaceparty did not have are gone, those that are empty by now."""
    doomed = [state.departments[id] for id in state.jobs.doomed if id in state.departments]
    for department in sorted(doomed, key=lambda d: -state.directory.level(d.id)):
        if not department.members and not department.children:
            state.directory.remove_department(department)
    state.jobs.doomed &= set(state.departments)
    return 0
