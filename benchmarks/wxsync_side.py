"""What wxsync does, in a process of its own: `wxsync_side.py plan|apply CONFIG`, or `fill CONFIG FILE`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from benchmarks.company import CORP, SYNC
from benchmarks.spent import spending
from wxsync.config.loader import load_settings
from wxsync.config.settings import Settings
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import carry_out, holding, preview
from wxsync.mirror import journal, links
from wxsync.mirror.ways import save_way
from wxsync.model.desired import Desired
from wxsync.model.member import Member, fold
from wxsync.model.remembered import (
    LinkState,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
    RememberedWay,
)
from wxsync.model.run import OutcomeState, RunState
from wxsync.model.seen import ReadingWay
from wxsync.model.unknown import DepartmentRef
from wxsync.runtime import open_corp
from wxsync.sources.reader import read_desired


async def plan(settings: Settings) -> dict[str, Any]:
    """A dry run, as `wxsync plan` makes it, without the printing."""
    async with open_corp(settings, SYNC) as corp:
        _, decision = await preview(corp)
    return {"changes": len(decision.plan.writes), "rejected": len(decision.plan.rejected)}


async def apply(settings: Settings) -> dict[str, Any]:
    """A run, as `wxsync apply --yes` makes it, without the printing."""
    async with open_corp(settings, SYNC) as corp, holding(corp, "benchmark") as held:
        run_id, decision = await preview(corp, verb="apply")
        run = await carry_out(corp, run_id, decision, held)
    return {"changes": len(decision.plan.writes), "failed": len(run.outcomes) - run.count(OutcomeState.DONE)}


def measure(verb: str, config: Path) -> None:
    """From the open config file to the plan on record: the interpreter's own start is not in it."""
    work = {"plan": plan, "apply": apply}[verb]
    settings = load_settings(config).settings
    with spending() as facts:
        facts.update(asyncio.run(work(settings)))


def fill(config: Path, file: Path) -> None:
    """Leave behind what a first load would: the mirror's links, and in `file` what WeCom is to hold."""
    file.write_text(json.dumps(asyncio.run(_fill(load_settings(config).settings))), encoding="utf-8")


async def _fill(settings: Settings) -> dict[str, list[Any]]:
    async with open_corp(settings, SYNC) as corp:
        desired = read_desired(corp.sources, corp.settings, corp.clock(), sync_name=SYNC)
        ids = {key: number for number, key in enumerate(desired.departments, 2)}
        _remember(corp, desired, ids)
    return wecom_of(desired, ids)


def _remember(corp: Corp, desired: Desired, ids: Mapping[str, int]) -> None:
    ours = LinkState.OURS
    departments = [
        RememberedDepartment(key=key, id=ids[key], state=ours, name=each.name, order=each.order)
        for key, each in desired.departments.items()
    ]
    members = [
        RememberedMember(state=ours, member=replace(member, enable=True))
        for member in desired.members.values()
    ]
    tags = [
        RememberedTag(name=tag.name, id=number, state=ours, userids=frozenset(_userids(desired, tag.members)))
        for number, tag in enumerate(desired.tags.values(), 1)
    ]
    now = corp.clock()
    with corp.store.transaction() as connection:
        links.put_department(connection, CORP, SYNC, departments)
        links.put_member(connection, CORP, SYNC, members)
        links.put_tag(connection, CORP, SYNC, tags)
        save_way(connection, CORP, RememberedWay(way=ReadingWay.IDS, has_app=False, found_at=now))
        run = journal.start_run(connection, sync=SYNC, corp=CORP, trigger="benchmark", started_at=now)
        journal.save_readings(connection, run, SYNC, desired.readings)
        journal.finish_run(connection, run, RunState.APPLIED, now)


def wecom_of(desired: Desired, ids: Mapping[str, int]) -> dict[str, list[Any]]:
    """Departments (id, parent's id, name, order), parents first; members (userid, name, department ids);
    tags (id, name, userids)."""

    def id_of(ref: DepartmentRef) -> int:
        return ref if isinstance(ref, int) else ids[ref]

    def place_ids(member: Member) -> list[int]:
        return [id_of(ref) for ref in cast("tuple[DepartmentRef, ...]", member.departments)]

    return {
        "departments": [
            (ids[key], id_of(each.parent), each.name, each.order) for key, each in desired.departments.items()
        ],
        "members": [(each.userid, each.name, place_ids(each)) for each in desired.members.values()],
        "tags": [
            (number, tag.name, _userids(desired, tag.members))
            for number, tag in enumerate(desired.tags.values(), 1)
        ],
    }


def _userids(desired: Desired, keys: frozenset[str]) -> list[str]:
    return [fold(desired.members[key].userid) for key in sorted(keys)]


if __name__ == "__main__":
    verb, *paths = sys.argv[1:]
    work: Callable[..., None] = fill if verb == "fill" else lambda config: measure(verb, config)
    work(*map(Path, paths))
