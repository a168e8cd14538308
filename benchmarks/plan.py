"""What a plan costs where nothing has changed, beside the bare cost of reading both sides.

For each size: a made-up company in SQLite, a local WeCom in a process of its own, a first load, then
plans and bare readings in turn, each in a fresh process. Ends with 1 where a plan made more calls than
it may, wrote, found anything to change, or where its time grows faster than linearly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.company import Company
from benchmarks.figures import STEEPEST, Figures, Report, Spent
from benchmarks.served import Served, run_module, served

PAGE = 10_000
"""Rows of user/list_id in one answer (WeCom page 96067)."""
START = 10
"""Members of the company whose plan is nothing but start-up: connections, queries, and the same calls."""
LOADED = 20_000
"""A company with more members than this is put into WeCom and the mirror directly, without a first load."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and judge."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="wxsync-bench-") as directory:
        report = asyncio.run(_report(sorted(set(options.sizes)), options.runs, Path(directory)))
    print(report.as_json() if options.json else report.as_table())
    faults = report.faults
    if report.is_too_steep and not options.any_growth:
        faults.append(f"time grows faster than with the power {STEEPEST} of the members")
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000], metavar="MEMBERS")
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--any-growth", action="store_true", help="do not judge how time grows")
    return parser.parse_args(arguments)


async def _report(sizes: Sequence[int], runs: int, directory: Path) -> Report:
    start, *measured = [await _measure(members, runs, directory) for members in (START, *sizes)]
    return Report(runs=runs, start=start, sizes=tuple(measured))


async def _measure(members: int, runs: int, directory: Path) -> Figures:
    company = Company(directory=directory / str(members), members=members)
    print(f"{members} members: set-up and {runs} runs ...", file=sys.stderr, flush=True)
    async with served() as wecom:
        company.make(base_url=wecom.base_url, corp_id=wecom.corp_id, secret=wecom.secret)
        load = await _load(company, wecom)
        loading = await wecom.calls()
        plans, bares, calls = [], [], []
        for _ in range(runs):
            plans.append(await _facts("wxsync_side", "plan", company.config))
            calls.append(await wecom.calls())
            bares.append(await _facts("bare", company.config))
            await wecom.calls()
    return Figures(
        members=members,
        departments=company.departments,
        plan=Spent.of(plans),
        calls=max(each.reads for each in calls),
        calls_allowed=max(1, math.ceil(loading.rows / PAGE)) + 1 + 1 + loading.tags,
        tokens=max(each.tokens for each in calls),
        writes=sum(each.writes for each in calls),
        changes=max(each["changes"] for each in plans),
        bare=Spent.of(bares),
        bare_rows=bares[0]["rows"],
        first_load=load,
        first_load_calls=loading.reads,
    )


async def _load(company: Company, wecom: Served) -> Spent | None:
    """The first load through `apply`; of a very large company only what it would leave behind."""
    if company.members > LOADED:
        file = company.directory / "wecom.json"
        await run_module("wxsync_side", "fill", company.config, file)
        await wecom.fill(file)
        return None
    loaded = await _facts("wxsync_side", "apply", company.config)
    if loaded["failed"]:
        raise SystemExit(f"the first load of {company.members} members failed for {loaded['failed']} changes")
    return Spent.of([loaded])


async def _facts(module: str, *arguments: object) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(await run_module(module, *arguments))
    return facts


if __name__ == "__main__":
    sys.exit(main())
