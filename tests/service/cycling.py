"""A company in which people come, change and go for ever, and the processes that keep WeCom like it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import Engine, delete, insert

from tests.journeys.hr import (
    EMPLOYEE_TAGS,
    EMPLOYEES,
    FIRST_DAY,
    HQ,
    TITLES,
    Department,
    Employee,
    Hr,
    hr_database,
    plain,
)
from tests.journeys.oracle import Company, compare
from wxsync.sandbox.dump import parse_dump, restore

ROOT: Final = Path(__file__).resolve().parents[2]
STEP: Final = timedelta(hours=42)
"""Four of them are the seven days of the longest rolling window: four times a run's limit pass in them."""
TAGS: Final = 5
LEVELS: Final = 6


# The company


@dataclass
class Rolling:
    """A company that keeps its size: a hundredth goes, as many come, five times as many change.

    Those who lead stay, so that nobody's row changes because somebody else goes.
    """

    hr: Hr
    staff: list[str]
    """Whoever came first goes first."""

    @classmethod
    def found(cls, members: int) -> Rolling:
        hr = Hr(random.Random(members))
        hr.departments[HQ] = Department(HQ, None, "样例集团", 0)
        for _ in range(members // 15):
            hr.add_department(hr.random.choice([code for code in hr.departments if hr.depth(code) < LEVELS]))
        codes = list(hr.departments)
        leaders = [hr.add_employee(hr.random.choice(codes), FIRST_DAY) for _ in range(members // 25)]
        for row in leaders:
            hr.add_place(row.emp_no, hr.random.choice(codes), is_leader=True)
        company = cls(hr, [])
        company.hire(members - len(leaders))
        return company

    @property
    def share(self) -> int:
        return len(self.hr.employees) // 100

    def hire(self, count: int) -> list[str]:
        """So many who were never there, each with a leader, every fifth with a tag."""
        codes, leaders = list(self.hr.departments), sorted({emp_no for emp_no, _ in self.hr.places})
        hired = []
        for number in range(count):
            row = self.hr.add_employee(self.hr.random.choice(codes), FIRST_DAY)
            row.manager_no = self.hr.random.choice(leaders) if self.staff else None
            if number % 5 == 0:
                self.hr.tags.add((f"标签{number // 5 % TAGS}", row.emp_no))
            hired.append(row.emp_no)
        self.staff += hired
        return hired

    def turn(self, engine: Engine) -> None:
        """What happens between two runs."""
        share = self.share
        gone, self.staff = self.staff[:share], self.staff[share:]
        changed = self.hr.random.sample(self.staff, 5 * share)
        for number, emp_no in enumerate(changed):
            self.change(self.hr.employees[emp_no], number)
        for emp_no in gone:
            del self.hr.employees[emp_no]
        self.hr.tags = {pair for pair in self.hr.tags if pair[1] not in set(gone)}
        self.save(engine, {*gone, *changed, *self.hire(share)})

    def change(self, row: Employee, number: int) -> None:
        """Everybody has another title, and some have something else besides."""
        row.title = self.hr.random.choice([title for title in TITLES if title != row.title])
        if number % 3 == 0:
            row.dept_code = self.hr.random.choice(list(self.hr.departments))
        elif number % 50 == 1:
            row.mobile = self.hr.mobile()
        elif number % 50 == 2:
            row.email = self.hr.email()
        elif number % 50 == 4:
            row.full_name = self.hr.person_name()

    def save(self, engine: Engine, people: set[str]) -> None:
        """Write down what is so now of these."""
        rows = [plain(row) for emp_no, row in self.hr.employees.items() if emp_no in people]
        tags = [{"tag": tag, "emp_no": emp_no} for tag, emp_no in self.hr.tags if emp_no in people]
        with engine.begin() as connection:
            for table, content in ((EMPLOYEES, rows), (EMPLOYEE_TAGS, tags)):
                connection.execute(delete(table).where(table.c.emp_no.in_(sorted(people))))
                if content:
                    connection.execute(insert(table), content)


# The processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a process takes up at one moment."""

    resident: int
    """KiB; `highest` is the most that it ever was."""
    highest: int
    connections: int
    """To the mirror; a pool keeps some of them open, as many as were ever wanted at once."""
    other_files: int
    """File descriptors that are none of a connection's."""

    @property
    def files(self) -> int:
        """All file descriptors."""
        return self.other_files + 2 * self.connections  # each has the database and its log


def resident(process: Path) -> int:
    """KiB that a process of /proc takes up."""
    return _status(process, "VmRSS")


def _status(process: Path, name: str) -> int:
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return int(status[name].split()[0])


def footprint(pid: int, mirror: Path) -> Footprint:
    process = Path(f"/proc/{pid}")
    opened = Counter(str(fd.readlink()) for fd in (process / "fd").iterdir())
    connections = opened[str(mirror)]
    return Footprint(
        resident=resident(process),
        highest=_status(process, "VmHWM"),
        connections=connections,
        other_files=opened.total() - 2 * connections,
    )


@dataclass
class Cycling:
    """A company, its WeCom and its daemon."""

    company: Rolling
    engine: Engine
    wecom: httpx.Client
    daemon: subprocess.Popen[str]
    mirror: Path
    since: timedelta = field(default_factory=timedelta)

    def begin(self) -> dict[str, Any]:
        """One run of the daemon, by its schedule; what came of it."""
        self._say("begin")
        return self._heard()

    def approve(self, digest: str) -> dict[str, Any]:
        """Somebody says yes to a plan; after it the daemon looks once more by itself."""
        self._say(f"approve {digest}")
        approved, after = self._heard(), self._heard()
        assert after["writes"] == {}, after
        return approved

    def pass_time(self) -> None:
        """For the daemon and for WeCom."""
        self.since += STEP
        self._say(f"forward {STEP.total_seconds()}")
        self.wecom.post("/sandbox/clock", json={"forward": STEP.total_seconds()}).raise_for_status()

    def drift(self) -> list[str]:
        """Every difference between WeCom and HR."""
        wanted = Company()
        wanted.follow(self.engine, (datetime.now(UTC) + self.since).date())
        dump = self.wecom.get("/sandbox/dump").raise_for_status().json()
        return compare(restore(parse_dump(dump)), wanted)

    def footprint(self) -> Footprint:
        """Of the daemon when the last run has left it."""
        self._say("rest")
        assert self._heard() == {"rests": True}
        return footprint(self.daemon.pid, self.mirror)

    def _say(self, order: str) -> None:
        assert self.daemon.stdin is not None
        self.daemon.stdin.write(f"{order}\n")
        self.daemon.stdin.flush()

    def _heard(self) -> dict[str, Any]:
        assert self.daemon.stdout is not None
        line = self.daemon.stdout.readline()
        assert line, "the daemon has died; what it said is above"
        heard: dict[str, Any] = json.loads(line)
        return heard


@contextmanager
def cycling(folder: Path, members: int) -> Iterator[Cycling]:
    """All of it, with nobody in WeCom yet; the daemon leaves in order."""
    company, url, mirror = Rolling.found(members), f"sqlite:///{folder / 'hr.db'}", folder / "mirror.db"
    with hr_database(url) as engine, _process("cycling_wecom") as wecom:
        company.hr.save(engine)
        assert wecom.stdout is not None
        base_url = wecom.stdout.readline().strip()
        at_work = _process("cycling_daemon", base_url, url, mirror)
        with httpx.Client(base_url=base_url, timeout=60) as line, at_work as daemon:
            cycle = Cycling(company, engine, line, daemon, mirror)
            assert cycle._heard() == {"leads": True}
            yield cycle
            assert daemon.stdin is not None
            daemon.stdin.close()
            assert daemon.wait(30) == 0


@contextmanager
def _process(module: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"tests.service.{module}", *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
