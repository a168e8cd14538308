"""What was measured, how it grows, and how it is shown."""

from __future__ import annotations

import json
import math
import os
import platform
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from statistics import linear_regression, median
from typing import Any

STEEPEST = 1.15
"""The highest exponent that still counts as linear. From 1,000 to 10,000 it lets a member cost 1.41 times
as much: sorting costs 1.33 times as much, the rest is for caches that no longer hold everything and for
the noise of the machine. A quadratic part that takes a third of the time at 10,000 is over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What some work took: the medians of several processes."""

    seconds: float
    cpu_seconds: float
    """The process's own work, without waiting for WeCom or for other processes on the machine."""
    peak_mb: float

    @classmethod
    def of(cls, runs: Sequence[Mapping[str, Any]]) -> Spent:
        return cls(
            seconds=median(run["seconds"] for run in runs),
            cpu_seconds=median(run["cpu_seconds"] for run in runs),
            peak_mb=median(run["peak_mb"] for run in runs),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that was measured of one size."""

    members: int
    departments: int
    plan: Spent
    calls: int
    """The most that one plan made, without the fetching of its token."""
    calls_allowed: int
    tokens: int
    writes: int
    changes: int
    bare: Spent
    bare_rows: int
    first_load: Spent | None
    """None where the size was put into WeCom and the mirror directly."""
    first_load_calls: int

    @property
    def ratio(self) -> float:
        return self.plan.seconds / self.bare.seconds

    @property
    def faults(self) -> Iterator[str]:
        """What a plan may not do, and did."""
        if self.calls > self.calls_allowed:
            yield f"{self.members}: a plan made {self.calls} calls, allowed {self.calls_allowed}"
        if self.tokens > 1:
            yield f"{self.members}: a plan fetched {self.tokens} tokens"
        if self.writes:
            yield f"{self.members}: a plan made {self.writes} write calls"
        if self.changes:
            yield f"{self.members}: nothing had changed, and the plan has {self.changes} changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run of the benchmark."""

    runs: int
    start: Figures
    """A company of next to nobody: what a plan takes before there is anything to do."""
    sizes: tuple[Figures, ...]

    @property
    def faults(self) -> list[str]:
        return [fault for figures in (self.start, *self.sizes) for fault in figures.faults]

    @property
    def exponents(self) -> dict[str, float | None]:
        return {name: self._exponent(name) for name in ("seconds", "cpu_seconds")}

    @property
    def is_too_steep(self) -> bool:
        """By the processor's time: the other one is also the neighbours' and the local WeCom's."""
        exponent = self._exponent("cpu_seconds")
        return exponent is not None and exponent > STEEPEST

    def _exponent(self, name: str) -> float | None:
        """The k of "time is proportional to the members to the power k", fitted through all sizes.

        Start-up is taken off first: it would make any growth look flat. None where nothing is left.
        """
        start = getattr(self.start.plan, name)
        nets = [(figures.members, getattr(figures.plan, name) - start) for figures in self.sizes]
        points = [(math.log(members), math.log(net)) for members, net in nets if net > 0]
        if len({members for members, _ in points}) < 2:
            return None
        return linear_regression(*zip(*points, strict=True)).slope

    def as_json(self) -> str:
        document = {
            "runs": self.runs,
            "start": _document(self.start),
            "sizes": [_document(figures) for figures in self.sizes],
            "exponents": self.exponents,
            "machine": machine(),
        }
        return json.dumps(document, indent=2)

    def as_table(self) -> str:
        rows = [list(_cells(self.start)), *(list(_cells(figures).values()) for figures in self.sizes)]
        rows.insert(1, list(_cells(self.start).values()))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
        growth = ", ".join(
            f"{name} {'too small to tell' if value is None else f'{value:.2f}'}"
            for name, value in self.exponents.items()
        )
        return "\n".join(
            (
                *lines,
                "",
                f"Medians of {self.runs}, in fresh processes, from the opened config to the plan on record.",
                "The first row is start-up. It is taken off the others before growth is fitted.",
                f"Exponent of growth (1 is linear, at most {STEEPEST} of cpu_seconds is taken): {growth}.",
                ", ".join(f"{name} {value}" for name, value in machine().items()),
            )
        )


def _document(figures: Figures) -> dict[str, Any]:
    return {**asdict(figures), "ratio": figures.ratio}


def _cells(figures: Figures) -> dict[str, str]:
    load = figures.first_load
    return {
        "members": str(figures.members),
        "depts": str(figures.departments),
        "plan s": f"{figures.plan.seconds:.2f}",
        "cpu s": f"{figures.plan.cpu_seconds:.2f}",
        "MB": f"{figures.plan.peak_mb:.0f}",
        "calls/allowed": f"{figures.calls}/{figures.calls_allowed}",
        "| rows": f"| {figures.bare_rows}",
        "bare s": f"{figures.bare.seconds:.2f}",
        "cpu s ": f"{figures.bare.cpu_seconds:.2f} ",
        "MB ": f"{figures.bare.peak_mb:.0f} ",
        "ratio": f"{figures.ratio:.1f}",
        "| first load s": "| -" if load is None else f"| {load.seconds:.1f}",
        "cpu s  ": "-" if load is None else f"{load.cpu_seconds:.1f}",
        "MB  ": "-" if load is None else f"{load.peak_mb:.0f}",
        "calls": "-" if load is None else str(figures.first_load_calls),
    }


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "wxsync": version("wxsync"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "sqlalchemy": version("sqlalchemy"),
        "httpx": version("httpx"),
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }
