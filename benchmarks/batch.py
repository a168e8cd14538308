"""A first load by single calls beside one by files, against a local WeCom with the real limits.

People only: their departments are there already, and nobody leads or has a tag. Each load is an `apply` in a
process of its own, into a corp of its own. Ends with 1 where somebody is missing or was invited, a call came
over a limit, or the files took as many calls, or as much memory, as 100,000 people may.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.apply import LIMITS, MEMBERS_A_DEPARTMENT
from benchmarks.company import Company
from benchmarks.served import run_module, served
from wxsync.engine.saying import ROWS_AT_ONCE

MOST_CALLS = 200
MOST_MB = 300.0
"""For the files of 100,000 people, reading and planning included."""
ROWS_A_SECOND = 1000
"""How fast the local WeCom works a file off. How fast the real one does, no page says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One first load."""

    people: int
    method: str
    created: int
    invited: int
    calls: int
    """All but the fetching of tokens, the reading before the plan included."""
    violations: int
    seconds: float
    cpu_seconds: float
    peak_mb: float

    def faults(self) -> Iterator[str]:
        what = f"{self.people} people, {self.method}:"
        if self.created != self.people:
            yield f"{what} {self.created} were created"
        if self.invited:
            yield f"{what} {self.invited} were invited"
        if self.violations:
            yield f"{what} {self.violations} calls came over a limit"
        if self.method == "batch" and self.calls >= MOST_CALLS:
            yield f"{what} {self.calls} calls, fewer than {MOST_CALLS} are wanted"
        if self.method == "batch" and self.peak_mb >= MOST_MB:
            yield f"{what} {self.peak_mb:.0f} MB, less than {MOST_MB:.0f} are wanted"

    def as_text(self) -> str:
        return (
            f"{self.people:>8} {self.method:<7} {self.calls:>8} calls {self.seconds:>8.1f} s"
            f" (work {self.cpu_seconds:.1f} s) {self.peak_mb:>7.1f} MB"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and judge."""
    options = _options(arguments)
    loads: list[Load] = []
    for people in options.people:
        for method in options.methods:
            with tempfile.TemporaryDirectory(prefix="wxsync-bench-") as directory:
                load = asyncio.run(_measure(people, method, options.latency, Path(directory)))
            loads.append(load)
            print(json.dumps(asdict(load)) if options.json else load.as_text(), flush=True)
    faults = [fault for load in loads for fault in load.faults()]
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[14_000, 100_000], help="to create")
    parser.add_argument("--methods", nargs="+", default=["single", "batch"], help="policy.method")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds to every answer (default 0.05)")
    parser.add_argument("--json", action="store_true", help="print one JSON document a load")
    return parser.parse_args(arguments)


async def _measure(people: int, method: str, latency: float, directory: Path) -> Load:
    company = Company(
        directory=directory / "company",
        members=people,
        members_a_department=MEMBERS_A_DEPARTMENT,
        method=method,
    )
    async with served(
        latency=latency, job_seconds=min(people, ROWS_AT_ONCE) / ROWS_A_SECOND, **LIMITS
    ) as wecom:
        company.make(base_url=wecom.base_url, corp_id=wecom.corp_id, secret=wecom.secret)
        _without_marks(company)
        with _nobody_yet(company):
            await run_module("wxsync_side", "apply", company.config)
        await wecom.calls()
        applied = json.loads(await run_module("wxsync_side", "apply", company.config))
        pace = await wecom.pace("")
        calls = await wecom.calls()
    return Load(
        people=people,
        method=method,
        created=calls.members,
        invited=calls.invitations,
        calls=calls.reads,
        violations=pace.violations,
        seconds=applied["seconds"],
        cpu_seconds=applied["cpu_seconds"],
        peak_mb=applied["peak_mb"],
    )


def _without_marks(company: Company) -> None:
    """Nobody leads a department, and nobody has a tag."""
    config = company.config.read_text(encoding="utf-8")
    config = config.replace('"Managers" = "grade >= 10"\n', "")
    config += f"\n[sync.bench.limits]\nmember_create = {company.members}\n"  # it is no first run any more
    company.config.write_text(config, encoding="utf-8")
    _execute(
        company.directory / "hr.db",
        "DELETE FROM employee_tags",
        "UPDATE employee_departments SET is_leader = 0",
    )


@contextmanager
def _nobody_yet(company: Company) -> Iterator[None]:
    """The departments alone, for the length of the block."""
    file = company.directory / "hr.db"
    _execute(
        file,
        "ALTER TABLE employees RENAME TO later",
        "CREATE TABLE employees AS SELECT * FROM later WHERE 0",
        "ALTER TABLE employee_departments RENAME TO later_departments",
        "CREATE TABLE employee_departments AS SELECT * FROM later_departments WHERE 0",
    )
    yield
    _execute(
        file,
        "DROP TABLE employees",
        "ALTER TABLE later RENAME TO employees",
        "DROP TABLE employee_departments",
        "ALTER TABLE later_departments RENAME TO employee_departments",
    )


def _execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            database.execute(statement)


if __name__ == "__main__":
    sys.exit(main())
