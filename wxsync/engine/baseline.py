"""The operator's word: what nobody can read in WeCom is what the source says. Writes nothing to WeCom."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from wxsync.engine.actual import found_again
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.mirror import lease, links
from wxsync.mirror.drifts import put_drifts
from wxsync.mirror.lease import Lease
from wxsync.model.change import Kind
from wxsync.model.drift import Drift
from wxsync.model.member import MEMBER_FIELDS, Member
from wxsync.model.remembered import LinkState, RememberedDepartment, RememberedMember
from wxsync.model.unknown import UNKNOWN, Value

BASELINE_FIELDS: Final = tuple(name for name in MEMBER_FIELDS if name not in ("departments", "enable"))
"""Where members are is always seen, and whether they are disabled is never taken from a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is remembered from now on as what WeCom has."""

    members: tuple[RememberedMember, ...]
    departments: tuple[RememberedDepartment, ...]
    keys: frozenset[str]
    """Of those of whom something was unknown and is remembered now."""
    fields: Mapping[str, int]
    """Field -> for how many members it was unknown and is remembered now."""
    drifts: tuple[Drift, ...] = ()
    """What hands changed of those members and WeCom shows: remembered with it as a hand's."""


def baseline_of(decision: Decision, fields: Collection[str] | None, key: str | None) -> Baseline:
    """The source's values for everything unknown of members who are ours and there.

    Of all fields or of `fields` (`extattr` means every attribute), of everybody or of `key` alone;
    department names only where nothing narrower is asked. What is known is left alone: where it
    differs from the source, that is a change to be made, not a baseline. What WeCom shows today is
    remembered as it shows it.
    """
    actual, desired, remembered = decision.actual, decision.desired, decision.remembered
    counts: Counter[str] = Counter()
    members: list[RememberedMember] = []
    keys: set[str] = set()
    for each, known in actual.members.items():
        wanted = desired.members.get(each)
        if wanted is None or key not in (None, each):
            continue
        values = _unknown_fields(known, wanted, fields)
        link = remembered.members[each]
        seen = replace(known, departments=link.member.departments)
        if values or seen != link.member:
            if link.state is LinkState.PENDING:  # created by a run that died: it is there, and ours
                link = replace(found_again(link), state=LinkState.OURS, announced_department_ids=())
            members.append(replace(link, member=_taking(seen, values), doubts=_left(link, values)))
            counts.update(values.keys())
            keys |= {each} if values else set()
    is_for_all = fields is None and key is None
    return Baseline(
        members=tuple(members),
        departments=tuple(_named(decision)) if is_for_all else (),
        keys=frozenset(keys),
        fields=dict(sorted(counts.items())),
        drifts=_by_hand(decision, {one.member.key for one in members}),
    )


def _by_hand(decision: Decision, keys: Collection[str]) -> tuple[Drift, ...]:
    works = (each for each in decision.handwork if each.kind is Kind.MEMBER and each.key in keys)
    return tuple(decision.hands.noted(each, is_tried=False) for each in works)


def _unknown_fields(known: Member, wanted: Member, fields: Collection[str] | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: value
        for name in BASELINE_FIELDS
        if (fields is None or name in fields)
        and getattr(known, name) is UNKNOWN
        and (value := getattr(wanted, name)) is not UNKNOWN
    }
    attributes = dict(known.extattr)
    if fields is None or "extattr" in fields:
        values |= {f"extattr.{name}": value for name, value in wanted.extattr if name not in attributes}
    return values


def _taking(member: Member, values: Mapping[str, Any]) -> Member:
    plain = {name: value for name, value in values.items() if not name.startswith("extattr.")}
    attributes = {name.removeprefix("extattr."): value for name, value in values.items() if name not in plain}
    merged = tuple(sorted({**dict(member.extattr), **attributes}.items()))
    return replace(member, **plain, extattr=merged)


def _left(link: RememberedMember, values: Mapping[str, Any]) -> dict[str, tuple[Value, ...]]:
    return {name: held for name, held in link.doubts.items() if name not in values}


def _named(decision: Decision) -> list[RememberedDepartment]:
    return [
        replace(decision.remembered.departments[key], name=wanted.name, doubted_names=())
        for key, known in decision.actual.departments.items()
        if known.name is UNKNOWN and (wanted := decision.desired.departments.get(key)) is not None
    ]


async def remember_baseline(corp: Corp, held: Lease, baseline: Baseline) -> None:
    """Put it into the mirror, in one transaction."""
    await asyncio.to_thread(_remember, corp, held, baseline)


def _remember(corp: Corp, held: Lease, baseline: Baseline) -> None:
    with corp.store.transaction() as connection:
        lease.confirm(connection, held)
        links.put_member(connection, corp.name, corp.sync, baseline.members)
        links.put_department(connection, corp.name, corp.sync, baseline.departments)
        put_drifts(connection, corp.name, corp.sync, baseline.drifts)
