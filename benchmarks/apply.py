"""How fast a first load goes, against a local WeCom with the real limits and 50 ms to every answer.

A made-up company is created through `apply` in a process of its own: intents, calls, outcomes. Ends with 1
where a call came over a limit, a creation is missing, or less than 90 % of the permitted rate was reached.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.company import Company
from benchmarks.served import run_module, served

PERMITTED = 10_000
"""Calls of a kind a minute (WeCom page 90312)."""
LIMITS = {
    "calls_per_minute": PERMITTED,
    "calls_per_hour": 150_000,
    "calls_per_minute_and_ip": 20_000,
    "calls_per_hour_and_ip": 600_000,
    "calls_at_once": 10,
}
LEAST = 0.9
"""The share of the permitted rate that must be reached."""
MEMBERS_A_DEPARTMENT = 200
"""Departments are created one by one and are not what is measured."""
CALL = "user/create"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One first load."""

    people: int
    latency: float
    created: int
    """Creations that WeCom carried out."""
    seconds: float
    """From the first creation to the last."""
    permitted_a_minute: int
    reached_a_minute: float
    violations: int
    most_at_once: int
    cpu_seconds: float
    """wxsync's own work for the whole run, reading and planning included."""
    whole_seconds: float
    """The same run by the clock."""

    @property
    def share(self) -> float:
        return self.reached_a_minute / self.permitted_a_minute

    def faults(self, *, any_rate: bool) -> Iterator[str]:
        if self.created != self.people:
            yield f"{self.created} of {self.people} people were created"
        if self.violations:
            yield f"{self.violations} calls came over a limit"
        if self.share < LEAST and not any_rate:
            yield f"{self.share:.0%} of the permitted rate was reached, {LEAST:.0%} are wanted"

    def as_text(self) -> str:
        return (
            f"{self.created} creations in {self.seconds:.1f} s, answers after {self.latency * 1000:.0f} ms\n"
            f"permitted: {self.permitted_a_minute} a minute\n"
            f"reached:   {self.reached_a_minute:.0f} a minute ({self.share:.0%}), "
            f"{self.most_at_once} at once at most\n"
            f"violations: {self.violations}\n"
            f"the whole run: {self.whole_seconds:.1f} s, of it work {self.cpu_seconds:.1f} s"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and judge."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="wxsync-bench-") as directory:
        figures = asyncio.run(_measure(options.people, options.latency, Path(directory)))
    print(json.dumps({**asdict(figures), "share": figures.share}) if options.json else figures.as_text())
    faults = list(figures.faults(any_rate=options.any_rate))
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=14_000, help="to create (default 14000)")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds to every answer (default 0.05)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--any-rate", action="store_true", help="do not judge the rate")
    return parser.parse_args(arguments)


async def _measure(people: int, latency: float, directory: Path) -> Figures:
    company = Company(
        directory=directory / "company", members=people, members_a_department=MEMBERS_A_DEPARTMENT
    )
    async with served(latency=latency, **LIMITS) as wecom:
        company.make(base_url=wecom.base_url, corp_id=wecom.corp_id, secret=wecom.secret)
        applied = json.loads(await run_module("wxsync_side", "apply", company.config))
        pace = await wecom.pace(CALL)
    return Figures(
        people=people,
        latency=latency,
        created=pace.carried_out,
        seconds=pace.seconds,
        permitted_a_minute=PERMITTED,
        reached_a_minute=60 * pace.carried_out / pace.seconds if pace.seconds else 0.0,
        violations=pace.violations,
        most_at_once=pace.most_at_once,
        cpu_seconds=applied["cpu_seconds"],
        whole_seconds=applied["seconds"],
    )


if __name__ == "__main__":
    sys.exit(main())
