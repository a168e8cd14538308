"""Which record is ours, and what it was last known to hold.

All functions take a connection and never commit, so that links, intents and outcomes of one batch
go into one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from wxsync.errors import MirrorError
from wxsync.mirror.drifts import forget_drifts, load_drifts, rekey_drifts
from wxsync.mirror.store import replace_rows
from wxsync.mirror.tables import (
    baselines,
    department_links,
    member_links,
    missed_reads,
    retired_userids,
    runs,
    tag_links,
    tag_members,
)
from wxsync.mirror.values import as_text, doubts_text, member_values, to_doubts, to_member
from wxsync.model.change import Kind
from wxsync.model.member import Member, fold
from wxsync.model.rekey import Rekeyed
from wxsync.model.remembered import (
    LinkState,
    Remembered,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
)
from wxsync.model.run import RunState
from wxsync.model.taken import HASHED, TakenHashes
from wxsync.model.unknown import UNKNOWN


def load(connection: Connection, corp: str, sync: str) -> Remembered:
    """All that the mirror knows of `sync`; a sync that it never saw is an empty `Remembered`."""
    return Remembered(
        departments=_departments(connection, corp, sync),
        members=_members(connection, corp, sync),
        tags=_tags(connection, corp, sync),
        has_been_applied=_has_been_applied(connection, corp, sync),
        baselines=_baselines(connection, corp, sync),
        highest_department_id=_highest(connection, department_links, "department_id", corp, at_least=1),
        highest_tag_id=_highest(connection, tag_links, "tag_id", corp, at_least=0),
        elsewhere_userids=_elsewhere(connection, member_links, "live_userid", corp, sync),
        elsewhere_department_ids=_elsewhere(connection, department_links, "live_department_id", corp, sync),
        elsewhere_tag_ids=_elsewhere(connection, tag_links, "live_tag_id", corp, sync),
        retired_userids=_retired(connection, corp),
        erased_userids=_erased(connection, corp),
        missed_reads=_missed(connection, corp, sync),
        drifts=load_drifts(connection, corp, sync),
    )


def put_department(
    connection: Connection,
    corp: str,
    sync: str,
    departments: RememberedDepartment | Sequence[RememberedDepartment],
) -> None:
    """Remembers each department, in the place of what was remembered of its key."""
    many = [departments] if isinstance(departments, RememberedDepartment) else departments
    rows = {one.key: _department_row(corp, sync, one) for one in many}
    replace_rows(connection, department_links, list(rows.values()))


def put_member(
    connection: Connection, corp: str, sync: str, members: RememberedMember | Sequence[RememberedMember]
) -> None:
    """Remembers each member, in the place of what was remembered of its key.

    Of one who is GONE only key and userid are kept: nobody's data outlives its use. The userid of one
    who is gone or missing is retired, for this key alone to have again.
    """
    many = [members] if isinstance(members, RememberedMember) else members
    rows = {one.member.key: _member_row(corp, sync, one) for one in many}
    replace_rows(connection, member_links, list(rows.values()))
    retired = {
        (folded := fold(one.member.userid)): {"corp": corp, "userid_folded": folded, "key": one.member.key}
        for one in many
        if one.state is LinkState.GONE or one.missing_since is not None
    }
    replace_rows(connection, retired_userids, list(retired.values()))
    gone = [one.member.key for one in many if one.state is LinkState.GONE]
    forget_drifts(connection, corp, sync, Kind.MEMBER, gone)


def put_tag(
    connection: Connection, corp: str, sync: str, tags: RememberedTag | Sequence[RememberedTag]
) -> None:
    """Remembers each tag with all its members, writing only what differs from before."""
    for tag in [tags] if isinstance(tags, RememberedTag) else tags:
        _put_tag_link(connection, corp, sync, tag)
        _put_tag_members(connection, corp, sync, tag)


def _department_row(corp: str, sync: str, department: RememberedDepartment) -> dict[str, Any]:
    is_gone = department.state is LinkState.GONE
    return {
        "corp": corp,
        "sync": sync,
        "key": department.key,
        "department_id": department.id,
        "live_department_id": None if is_gone else department.id,
        "state": department.state.value,
        "parent_id": department.parent_id,
        "name": None if department.name is UNKNOWN else department.name,
        "sort_order": None if department.order is UNKNOWN else department.order,
        "doubted_names": as_text(department.doubted_names) if department.doubted_names else None,
    }


def _member_row(corp: str, sync: str, remembered: RememberedMember) -> dict[str, Any]:
    member = remembered.member
    is_gone = remembered.state is LinkState.GONE
    if is_gone:
        remembered = RememberedMember(
            state=LinkState.GONE,
            member=Member(key=member.key, userid=member.userid),
            gone_at=remembered.gone_at,
        )
    folded = fold(member.userid)
    announced = remembered.announced_department_ids
    return {
        "corp": corp,
        "sync": sync,
        "key": member.key,
        "userid": member.userid,
        "userid_folded": folded,
        "live_userid": None if is_gone else folded,
        "state": remembered.state.value,
        "known_values": member_values(remembered.member),
        "unproven": as_text(sorted(remembered.unproven)) if remembered.unproven else None,
        "disabled_at": remembered.disabled_at,
        "left_at": remembered.left_at,
        "recreated_at": remembered.recreated_at,
        "doubts": doubts_text(remembered.doubts),
        "announced_department_ids": as_text(announced) if announced else None,
        "missing_since": remembered.missing_since,
        "has_activated": remembered.has_activated,
        "gone_at": remembered.gone_at if is_gone else None,
    }


def _put_tag_link(connection: Connection, corp: str, sync: str, tag: RememberedTag) -> None:
    row = {
        "tag_id": tag.id,
        "live_tag_id": None if tag.state is LinkState.GONE else tag.id,
        "state": tag.state.value,
    }
    place = {"corp": corp, "sync": sync, "name": tag.name}
    found = connection.execute(update(tag_links).filter_by(**place).values(row))
    if found.rowcount == 0:
        connection.execute(insert(tag_links), {**place, **row})


def _put_tag_members(connection: Connection, corp: str, sync: str, tag: RememberedTag) -> None:
    place = {"corp": corp, "sync": sync, "name": tag.name}
    before = frozenset(connection.scalars(select(tag_members.c.userid_folded).filter_by(**place)))
    after = frozenset[str]() if tag.state is LinkState.GONE else frozenset(map(fold, tag.userids))
    if dropped := before - after:
        leaving = (
            delete(tag_members).filter_by(**place).where(tag_members.c.userid_folded == bindparam("who"))
        )
        connection.execute(leaving, [{"who": who} for who in dropped])
    if added := after - before:
        connection.execute(insert(tag_members), [{**place, "userid_folded": who} for who in added])


def _departments(connection: Connection, corp: str, sync: str) -> dict[str, RememberedDepartment]:
    c = department_links.c
    query = select(c.key, c.department_id, c.state, c.parent_id, c.name, c.sort_order, c.doubted_names)
    return {
        key: RememberedDepartment(
            key=key,
            id=department_id,
            state=LinkState(state),
            parent_id=parent_id,
            name=UNKNOWN if name is None else name,
            order=UNKNOWN if order is None else order,
            doubted_names=tuple(json.loads(doubted)) if doubted else (),
        )
        for key, department_id, state, parent_id, name, order, doubted in connection.execute(
            query.filter_by(corp=corp, sync=sync)
        )
    }


def _members(connection: Connection, corp: str, sync: str) -> dict[str, RememberedMember]:
    c = member_links.c
    query = select(
        c.key,
        c.userid,
        c.state,
        c.known_values,
        c.unproven,
        c.disabled_at,
        c.left_at,
        c.recreated_at,
        c.doubts,
        c.announced_department_ids,
        c.missing_since,
        c.has_activated,
        c.gone_at,
    )
    states = {state.value: state for state in LinkState}
    nothing = frozenset[str]()
    members = {}
    rows = connection.execute(query.filter_by(corp=corp, sync=sync))
    for (
        key,
        userid,
        state,
        values,
        unproven,
        disabled_at,
        left_at,
        recreated_at,
        doubts,
        announced,
        missing_since,
        has_activated,
        gone_at,
    ) in rows:
        members[key] = RememberedMember(
            state=states[state],
            member=_readable(key, userid, values),
            unproven=frozenset(json.loads(unproven)) if unproven else nothing,
            disabled_at=disabled_at,
            left_at=left_at,
            recreated_at=recreated_at,
            doubts=to_doubts(doubts),
            announced_department_ids=tuple(json.loads(announced)) if announced else (),
            missing_since=missing_since,
            has_activated=has_activated,
            gone_at=gone_at,
        )
    return members


def _readable(key: str, userid: str, values: str) -> Member:
    try:
        return to_member(key, userid, values)
    except (ValueError, TypeError, AttributeError) as error:
        # Nothing of the error's own text: it quotes values.
        raise MirrorError(
            f"the mirror holds values of member {key} that cannot be read",
            hint="put back a backup that is whole, and say: wxsync db restored",
        ) from error


def _tags(connection: Connection, corp: str, sync: str) -> dict[str, RememberedTag]:
    here = {"corp": corp, "sync": sync}
    userids: dict[str, list[str]] = {}
    for name, userid in connection.execute(
        select(tag_members.c.name, tag_members.c.userid_folded).filter_by(**here)
    ):
        userids.setdefault(name, []).append(userid)
    links = connection.execute(
        select(tag_links.c.name, tag_links.c.tag_id, tag_links.c.state).filter_by(**here)
    )
    return {
        name: RememberedTag(
            name=name, id=tag_id, state=LinkState(state), userids=frozenset(userids.get(name, ()))
        )
        for name, tag_id, state in links
    }


def _has_been_applied(connection: Connection, corp: str, sync: str) -> bool:
    applied = select(runs.c.id).filter_by(corp=corp, sync=sync, verb="apply", state=RunState.APPLIED.value)
    return connection.execute(applied.limit(1)).first() is not None


def _baselines(connection: Connection, corp: str, sync: str) -> dict[tuple[str, str], int]:
    c = baselines.c
    rows = connection.execute(select(c.source, c.query, c.row_count).filter_by(corp=corp, sync=sync))
    return {(source, query): count for source, query, count in rows}


def _highest(connection: Connection, table: Any, column: str, corp: str, *, at_least: int) -> int:
    highest = connection.scalar(select(func.max(table.c[column])).where(table.c.corp == corp))
    return max(at_least, highest or 0)


def _elsewhere(connection: Connection, table: Table, column: str, corp: str, sync: str) -> frozenset[Any]:
    """What of this kind the corp's other syncs own."""
    owned = table.c[column]
    query = select(owned).where(table.c.corp == corp, table.c.sync != sync, owned.is_not(None))
    return frozenset(connection.scalars(query))


def _retired(connection: Connection, corp: str) -> dict[str, str]:
    c = retired_userids.c
    plain = select(c.userid_folded, c.key).where(c.corp == corp, ~c.userid_folded.startswith(HASHED))
    return {row.userid_folded: row.key for row in connection.execute(plain)}


def _erased(connection: Connection, corp: str) -> TakenHashes:
    c = retired_userids.c
    hashes = select(c.userid_folded).where(c.corp == corp, c.userid_folded.startswith(HASHED))
    return TakenHashes.of(connection.scalars(hashes))


def _missed(connection: Connection, corp: str, sync: str) -> dict[str, int]:
    c = missed_reads.c
    rows = connection.execute(select(c.key, c.reads).filter_by(corp=corp, sync=sync))
    return {row.key: row.reads for row in rows}


def put_missed(
    connection: Connection, corp: str, sync: str, before: Mapping[str, int], after: Mapping[str, int]
) -> None:
    """Remembers how many readings in a row lacked whom, writing only what differs from before."""
    if gone := before.keys() - after.keys():
        c = missed_reads.c
        struck = delete(missed_reads).where(c.corp == corp, c.sync == sync, c.key == bindparam("struck"))
        connection.execute(struck, [{"struck": key} for key in gone])
    place = {"corp": corp, "sync": sync}
    counts = [
        {**place, "key": key, "reads": reads} for key, reads in after.items() if before.get(key) != reads
    ]
    replace_rows(connection, missed_reads, counts)


def rekey(connection: Connection, corp: str, sync: str, changed: Rekeyed) -> None:
    """Remembers the same records by other keys; keys may change places with each other."""
    for table, olds in ((member_links, changed.members), (department_links, changed.departments)):
        if olds:
            c = table.c
            struck = delete(table).where(c.corp == corp, c.sync == sync, c.key == bindparam("struck"))
            connection.execute(struck, [{"struck": key} for key in olds])
    put_member(connection, corp, sync, list(changed.members.values()))
    put_department(connection, corp, sync, list(changed.departments.values()))
    rekey_drifts(connection, corp, sync, changed.drifts)
    retired = [
        {"corp": corp, "userid_folded": folded, "key": key} for folded, key in changed.retired_userids.items()
    ]
    replace_rows(connection, retired_userids, retired)


def forget_member(connection: Connection, corp: str, sync: str, keys: Sequence[str]) -> None:
    """Strikes the links of announced members who never came about, as if they had not been announced."""
    if keys:
        c = member_links.c
        struck = delete(member_links).where(c.corp == corp, c.sync == sync, c.key == bindparam("struck"))
        connection.execute(struck, [{"struck": key} for key in keys])
