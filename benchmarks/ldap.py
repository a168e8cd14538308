"""What reading a directory costs, proven and decoded, beside bare loops of the same library.

A slapd with made-up people; each reading in a fresh process, in turn. Ends with 1 where wxsync takes more
than RATIO times the processor time of a bare loop over the same attributes and a bare loop over DNs, or
where its memory grows by more than PER_ENTRY bytes with each entry.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.figures import Spent
from benchmarks.served import run_module
from tests.servers.certificates import make_authority
from tests.servers.slapd import PASSWORD, READER, SLAPD, SlapdServer, run_slapds
from tests.sources.directory import BASE, company

RATIO = 1.3
PER_ENTRY = 100
"""Eight for the entry's place in the second look, and room for the noise of pages of memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that was measured of one directory."""

    entries: int
    wxsync: Spent
    bare: Spent
    dns: Spent
    python_ldap: Spent | None
    """None where python-ldap is not installed."""

    @property
    def ratio(self) -> float:
        return self.wxsync.cpu_seconds / (self.bare.cpu_seconds + self.dns.cpu_seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and judge."""
    options = _options(arguments)
    if not SLAPD.exists():
        print("benchmarks/ldap.py needs the Debian package slapd (make servers)", file=sys.stderr)
        return 1
    small, large = (_figures(entries, options.runs) for entries in (options.entries // 10, options.entries))
    growth = (large.wxsync.peak_mb - small.wxsync.peak_mb) * 1024 * 1024 / (large.entries - small.entries)
    print(_as_json(small, large, growth) if options.json else _as_table(small, large, growth))
    faults = []
    if large.ratio > RATIO and not options.any_ratio:
        faults.append(f"wxsync takes {large.ratio:.2f} times the bare loops, allowed {RATIO}")
    if growth > PER_ENTRY and not options.any_ratio:
        faults.append(f"memory grows by {growth:.0f} bytes an entry, allowed {PER_ENTRY}")
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--any-ratio", action="store_true", help="measure, and do not judge")
    return parser.parse_args(arguments)


def _figures(entries: int, runs: int) -> Figures:
    with (
        tempfile.TemporaryDirectory(prefix="wxsync-bench-") as directory,
        run_slapds(make_authority(Path(directory))) as make,
    ):
        return asyncio.run(_measure(make(company(entries)), entries, runs))


async def _measure(server: SlapdServer, entries: int, runs: int) -> Figures:
    where = json.dumps({"url": server.url, "user": READER, "password": PASSWORD, "base": BASE})
    kinds = ["wxsync", "bare", "dns", *(["python-ldap"] if find_spec("_ldap") is not None else [])]
    spent: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(runs):
        for kind in kinds:
            run = json.loads(await run_module("ldap_side", kind, where))
            if run["entries"] != entries:
                raise SystemExit(f"{kind} read {run['entries']} of {entries} entries")
            spent[kind].append(run)
    return Figures(
        entries=entries,
        wxsync=Spent.of(spent["wxsync"]),
        bare=Spent.of(spent["bare"]),
        dns=Spent.of(spent["dns"]),
        python_ldap=Spent.of(spent["python-ldap"]) if "python-ldap" in spent else None,
    )


def _as_json(small: Figures, large: Figures, growth: float) -> str:
    sizes = [asdict(each) | {"ratio": each.ratio} for each in (small, large)]
    return json.dumps({"sizes": sizes, "bytes_per_entry": growth})


def _as_table(small: Figures, large: Figures, growth: float) -> str:
    lines = ["entries  reading      seconds  work s  peak MB"]
    for each in (small, large):
        kinds = {
            "wxsync": each.wxsync,
            "bare loop": each.bare,
            "DNs alone": each.dns,
            "python-ldap": each.python_ldap,
        }
        lines += [
            f"{each.entries:>7}  {name:<11}  {spent.seconds:>7.2f}  {spent.cpu_seconds:>6.2f}"
            f"  {spent.peak_mb:>7.1f}"
            for name, spent in kinds.items()
            if spent is not None
        ]
        lines.append(f"{each.entries:>7}  wxsync / (bare loop + DNs alone): {each.ratio:.2f}")
    lines.append(f"memory: {growth:.0f} bytes more for each entry")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
