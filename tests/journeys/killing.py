"""`wxsync apply` as a process of its own, killed by -9 at some moment, and what WeCom was told until then."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, NullPool, create_engine, text

from tests.journeys.stage import MEMBER, POLICY, Stage
from wxsync.config.loader import load_settings
from wxsync.model.batch_job import JobState
from wxsync.sandbox.identity import Call
from wxsync.sandbox.job_files import member_body, read_members
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

WXSYNC = Path(sys.executable).parent / "wxsync"
CALLS = (
    ("user/create", 4),
    ("user/update", 30),
    ("user/update", 30),
    ("department/create", 1),
    ("department/update", 1),
    ("tag/create", 1),
    ("tag/addtagusers", 2),
    ("user/list_id", 1),
)
"""Calls of a day, and how many of each there are as a rule."""
SUBMIT = "batch/syncuser"
RESULT = "batch/getresult"
PATIENCE = 60.0
SETTLING = 0.1
"""Seconds in which the last call of a dead process arrives."""
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH")

MAPPED = {name: rule for name, rule in MEMBER.items() if name not in ("starts", "ends")}
"""The processes live today, and the company in its own time."""

CONFIG = """\
[mirror]
url = "{mirror_url}"

[service]
language = "en"

[corp.acme]
corp_id = "{corp_id}"
base_url = "{base_url}"
contact_secret = "{secret}"

[source.hr]
type = "sql"
url = "sqlite:///hr.db"
departments = "SELECT code, parent_code, name, sort FROM departments"
members = "SELECT * FROM employees"
memberships = 'SELECT emp_no, dept_code, is_leader, sort AS "order" FROM employee_departments'
tags = "SELECT tag, emp_no FROM employee_tags"

[sync.acme]
corp = "acme"
sources = ["hr"]
mode = "apply"

[sync.acme.department]
key = "code"
parent = "parent_code"
name = "name"
order = "sort"
root = "code == 'HQ'"

[sync.acme.member]
{member}

[sync.acme.tags]
"干部" = "grade >= 10"

[sync.acme.policy]
method = "{method}"
{policy}

[sync.acme.limits]
member_remove = 1000000
member_update = 1000000
member_create = 1000000
field_change = 1000000
tag_member_remove = 1000000
"""


# Moments


@dataclass(frozen=True)
class AtCall:
    """At the nth call of a path: before its effect, or after it and before its answer, or a little later."""

    path: str
    nth: int = 1
    is_before: bool = False
    delay: float = 0.0


@dataclass(frozen=True)
class OnRecord:
    """As soon as the mirror has so many rows more in a table."""

    table: str
    rows: int


@dataclass(frozen=True)
class After:
    """So many seconds after it had its first answer from WeCom."""

    seconds: float


Moment = AtCall | OnRecord | After


@dataclass
class Office:
    """A config, an HR database and a mirror in a folder, and a WeCom that outlives whoever calls it."""

    folder: Path
    state: SandboxState
    base_url: str
    method: str = "batch"
    mirror_url: str = "sqlite:///mirror.db"
    """As the config says it."""
    cuts: Counter[bytes] = field(default_factory=Counter)
    """File -> how often a process died while nobody knew whether WeCom had begun with it."""

    def __post_init__(self) -> None:
        text = CONFIG.format(
            corp_id=self.state.corp_id,
            base_url=self.base_url,
            secret=self.state.contact_secret,
            member="\n".join(f'{name} = "{rule}"' for name, rule in MAPPED.items()),
            policy="\n".join(f"{name} = {_toml(value)}" for name, value in POLICY.items()),
            method=self.method,
            mirror_url=self.mirror_url,
        )
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(0o600)

    @property
    def config(self) -> Path:
        return self.folder / "wxsync.toml"

    def mirror(self) -> Engine:
        """The mirror's database, to be looked into."""
        is_file = self.mirror_url.startswith("sqlite")
        url = f"sqlite:///{self.folder / 'mirror.db'}" if is_file else self.mirror_url
        return create_engine(url, poolclass=NullPool)

    def stage(self) -> Stage:
        """One command without a process and without pauses. WeCom is reached as the processes reach it."""
        return Stage(load_settings(self.config).settings, self.state, line=httpx.AsyncHTTPTransport())

    def apply(self) -> None:
        """A process that is let live; it must succeed."""
        with self._process() as process:
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, f"exit {process.returncode}\n{err}\n{out}"

    def apply_and_kill(self, moment: Moment) -> bool:
        """A process that is killed; False where it was done before the moment came."""
        with self._process() as process, self._at(moment, process.pid):
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode in (0, -signal.SIGKILL), f"exit {process.returncode}\n{err}\n{out}"
        self._count_cuts()
        return process.returncode != 0

    @contextmanager
    def _process(self) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [str(WXSYNC), "apply", "--yes"],
            cwd=self.folder,
            env={name: os.environ[name] for name in INHERITED if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    @contextmanager
    def _at(self, moment: Moment, pid: int) -> Iterator[None]:
        """The process is killed at that moment of the block."""
        over = threading.Event()
        killer = threading.Thread(target=self._wait_and_kill, args=(moment, pid, over), daemon=True)
        listener = _Listener(moment, pid)
        if isinstance(moment, AtCall):
            if moment.is_before:
                self.state.faults.reset(moment.path, skip=moment.nth - 1)
            self.state.on_call = listener
        else:
            killer.start()
        try:
            yield
        finally:
            self.state.on_call = None
            self.state.faults.clear()
            over.set()
            if killer.ident is not None:
                killer.join()

    def _wait_and_kill(self, moment: Moment, pid: int, over: threading.Event) -> None:
        began = len(self.state.log)
        if isinstance(moment, OnRecord):
            before = self._rows(moment.table)
            while self._rows(moment.table) < before + moment.rows and not over.wait(0.002):
                pass
        elif isinstance(moment, After):
            while len(self.state.log) == began and not over.wait(0.005):
                pass
            over.wait(moment.seconds)
        _kill(pid)

    def _rows(self, table: str) -> int:
        with self.mirror().connect() as mirror:
            return int(mirror.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    # What is left

    def _count_cuts(self) -> None:
        """A file that WeCom has, or may have, and of whose job nobody has ever heard again."""
        time.sleep(SETTLING)
        asked = [call.path for call in self.state.log if call.path in (SUBMIT, RESULT)]
        if asked[-1:] != [SUBMIT]:
            return  # whoever asks has the job's number, and must have put it on record before
        with self.mirror().connect() as mirror:
            query = "SELECT content FROM batch_jobs JOIN batch_job_files ON job = id WHERE state = :state"
            found = mirror.execute(text(query), {"state": JobState.SUBMITTING.value})
            self.cuts.update(zlib.decompress(content) for (content,) in found)

    def open_jobs(self) -> int:
        """Jobs that nobody has seen to."""
        states = ", ".join(f"'{state.value}'" for state in JobState if state.is_open)
        with self.mirror().connect() as mirror:
            query = text(f"SELECT count(*) FROM batch_jobs WHERE state IN ({states})")
            return int(mirror.execute(query).scalar_one())


class _Listener:
    """Told of every call: kills at the nth of a path, before its answer is sent, or a little later."""

    def __init__(self, moment: Moment, pid: int) -> None:
        self._moment, self._pid, self._seen = moment, pid, 0

    def __call__(self, call: Call) -> None:
        moment = self._moment
        if not isinstance(moment, AtCall) or call.path != moment.path:
            return
        self._seen += 1
        if self._seen == moment.nth and moment.delay:
            threading.Timer(moment.delay, _kill, (self._pid,)).start()
        elif self._seen == moment.nth:
            _kill(self._pid)


def _kill(pid: int) -> None:
    """A process that has ended is still ours, unreaped or not: nobody else has its number yet."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(f'"{each}"' for each in value) + "]"
    return f'"{value}"'


@contextmanager
def reopened(origin: Path, state: SandboxState, folder: Path) -> Iterator[Office]:
    """The company of `origin` once more in a folder of its own, with a WeCom of its own."""
    folder.mkdir()
    for file in ("hr.db", "mirror.db"):
        shutil.copy(origin / file, folder)
    copied = deepcopy(state)
    with running_sandbox(copied) as base_url:
        yield Office(folder, copied, base_url)


# What WeCom was told


def twice(office: Office, calls: list[Call]) -> Iterator[str]:
    """Everything in these calls that was done more often than it may be, in words; none is good."""
    wanted: dict[tuple[str, str], set[str]] = {}
    rows: Counter[tuple[str, str]] = Counter()
    started: Counter[bytes] = Counter()
    created: Counter[str] = Counter()
    for call in calls:
        if not call.is_carried_out:
            continue
        if call.path == SUBMIT and call.body is not None:
            content = office.state.media[call.body["media_id"]].content
            started[content] += 1
            bodies = [member_body(row, {}, space_clears=True) for row in read_members(content)]
            rows.update((body["userid"], _canonical(body)) for body in bodies)
        elif call.path in ("user/create", "user/update") and call.body is not None:
            bodies = [dict(call.body)]
            created[call.body["userid"]] += call.path == "user/create"
        elif call.path == "user/delete":
            yield f"user/delete {call.query}"
            continue
        else:
            continue
        for body in bodies:
            for name, value in _values(body):
                wanted.setdefault((body["userid"], name), set()).add(value)
    for content, times in started.items():
        if times > 1 + office.cuts[content]:
            yield f"a file was submitted {times} times, {office.cuts[content]} of them were cut off"
    for (userid, _), times in rows.items():
        if times > 1 + office.cuts.total():
            yield f"the row of {userid} was submitted {times} times"
    yield from (f"{userid} was created {times} times" for userid, times in created.items() if times > 1)
    for (userid, name), values in wanted.items():
        if len(values) > 1:
            yield f"{name} of {userid} was said to be each of {sorted(values)}"
    yield from (f"{call.path} {call.body}: there already" for call in calls if call.errcode == 60102)


def _canonical(body: Mapping[str, Any]) -> str:
    return repr(sorted(_values(body)))


def _values(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a row or a call says, departments with their marks in any order."""
    places = body.get("department", ())
    for name, value in body.items():
        if name == "department":
            yield name, repr(sorted(value))
        elif name in ("is_leader_in_dept", "order"):
            yield name, repr(sorted(zip(places, value, strict=True)))
        elif name not in ("userid", "to_invite"):
            yield name, repr(value)


def some_moment_of_calls(chance: random.Random) -> Moment:
    """Any of a run that makes a call for each change."""
    kind = chance.randrange(5)
    if kind == 0:
        return After(chance.uniform(0, 1.5))
    if kind == 1:
        return OnRecord(chance.choice(("steps", "outcomes")), chance.choice((1, 2, 10, 20)))
    path, most = chance.choice(CALLS)
    nth = chance.randrange(1, most + 1)
    delay = chance.choice((0.0, chance.uniform(0, 0.05)))
    return AtCall(path, nth, is_before=kind == 2, delay=0 if kind == 2 else delay)


def some_moment(chance: random.Random) -> Moment:
    """Any of them."""
    kind = chance.randrange(4)
    if kind == 0:
        return After(chance.uniform(0, 4))
    if kind == 1:
        table = chance.choice(("batch_jobs", "batch_job_rows", "batch_job_files", "batch_job_results"))
        return OnRecord(table, chance.choice((1, 2, 10)))
    path = chance.choice(("media/upload", SUBMIT, SUBMIT, RESULT, "user/list_id", "user/update"))
    delay = chance.choice((0.0, chance.uniform(0, 0.05), chance.uniform(0, 0.4)))
    return AtCall(path, chance.choice((1, 1, 2, 3)), is_before=kind == 2, delay=0 if kind == 2 else delay)
