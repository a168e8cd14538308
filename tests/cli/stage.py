"""What a command needs, small: an HR database, a local WeCom, a config file, and a way to run `wxsync`."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

WXSYNC = Path(sys.executable).parent / "wxsync"
SECRET = "contact-secret-9f3b71c2d4"
TIMEOUT = 60
ESCAPE = "\x1b"
MOBILE = re.compile(r"(?<![0-9a-f])1[3-9]\d{9}(?![0-9a-f])")  # not in the middle of a digest

CONFIG = """\
[mirror]
url = "{mirror}"

[service]
language = "en"

[corp.acme]
corp_id = "{corp_id}"
base_url = "{base_url}"
contact_secret = "env:STAGE_SECRET"

[source.hr]
type = "sql"
url = "{source}"
departments = "SELECT code, parent_code, name FROM departments"
members = "SELECT * FROM employees"
tags = "SELECT tag, emp_no FROM employee_tags"

[sync.acme]
corp = "acme"
sources = ["hr"]
mode = "plan"

[sync.acme.department]
key = "code"
parent = "parent_code"
name = "name"

[sync.acme.member]
key = "emp_no"
userid = "emp_no | lower"
name = "full_name"
departments = "dept_code"
mobile = "mobile"
position = "title"
active = "status == 'active'"

[sync.acme.policy]
leavers = "disable"
empty_departments = "delete"
adopt = []
"""

TABLES = """
CREATE TABLE departments (code TEXT, parent_code TEXT, name TEXT);
CREATE TABLE employees (emp_no TEXT, full_name TEXT, dept_code TEXT, mobile TEXT, title TEXT, status TEXT);
CREATE TABLE employee_tags (tag TEXT, emp_no TEXT);
"""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command left behind when it ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """The one document on stdout; more than one, or none, is a failure."""
        return json.loads(self.out)

    def says(self, *words: str) -> Printed:
        """Holds that stderr has every one of the words; gives itself."""
        missing = [word for word in words if word not in self.err]
        assert not missing, f"{missing} not in:\n{self.err}\n--- stdout:\n{self.out}"
        return self


@dataclass(kw_only=True)
class Stage:
    """A company of its own, in a directory of its own."""

    home: Path
    wecom: SandboxState
    base_url: str
    source: str = "sqlite:///hr.db"
    mirror: str = "sqlite:///mirror.db"
    secrets: list[str] = field(default_factory=lambda: [SECRET])
    printed: list[tuple[tuple[str, ...], Printed]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hire(1, 12)
        self.configure()

    # The config file

    @property
    def config(self) -> Path:
        return self.home / "wxsync.toml"

    @property
    def mirror_file(self) -> Path:
        return self.home / "mirror.db"

    def configure(self, *changes: tuple[str, str], add: str = "") -> None:
        """Write the config anew, with texts of it changed and others added."""
        text = CONFIG.format(
            mirror=self.mirror, source=self.source, corp_id=self.wecom.corp_id, base_url=self.base_url
        )
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, after)
        self.config.write_text(text + add, encoding="utf-8")
        self.config.chmod(0o600)

    # The HR database

    def sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.home / "hr.db")) as connection, connection:
            for statement in statements:
                connection.executescript(statement)

    def hire(self, first: int, last: int) -> None:
        """People of these numbers, in two departments, tagged and with a phone number each."""
        with closing(sqlite3.connect(self.home / "hr.db")) as connection, connection:
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                connection.executescript(TABLES)
                connection.executemany(
                    "INSERT INTO departments VALUES (?, ?, ?)",
                    [("D1", None, "研发部"), ("D2", "D1", "平台组"), ("D3", None, "人事部")],
                )
            for number in range(first, last + 1):
                connection.execute(
                    "INSERT INTO employees VALUES (?, ?, ?, ?, ?, 'active')",
                    (emp_no(number), f"林{number}", f"D{number % 3 + 1}", mobile(number), "工程师"),
                )
            connection.execute("INSERT INTO employee_tags VALUES ('导师', ?)", (emp_no(first),))

    # Running

    def environment(self, **changes: str | None) -> dict[str, str]:
        """What the command finds in its environment; None takes a variable away."""
        kept = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH")
            if name in os.environ
        }
        wanted: dict[str, str | None] = {**kept, "STAGE_SECRET": SECRET, **changes}
        return {name: value for name, value in wanted.items() if value is not None}

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> Printed:
        """Run `wxsync` to its end, without a terminal."""
        started = time.monotonic()
        ended = subprocess.run(
            [*prefix, str(WXSYNC), *arguments],
            cwd=cwd or self.home,
            env=self.environment(**(env or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )
        return self.keep(
            arguments, Printed(ended.returncode, ended.stdout, ended.stderr, time.monotonic() - started)
        )

    def ok(self, *arguments: str) -> Printed:
        """Run what must succeed."""
        printed = self.run(*arguments)
        assert printed.code == 0, f"{printed.err}\n--- stdout:\n{printed.out}"
        return printed

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """`wxsync`, started and still at work; killed where the block leaves it so."""
        process = subprocess.Popen(
            [str(WXSYNC), *arguments],
            cwd=self.home,
            env=self.environment(),
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
            out, err = process.communicate()
            self.keep(arguments, Printed(process.returncode, out, err, 0))

    def keep(self, arguments: Sequence[str], printed: Printed) -> Printed:
        """Holds what every output must: no traceback, no secret, no token, nobody's phone number."""
        self.printed.append((tuple(arguments), printed))
        everything = printed.out + printed.err
        assert "Traceback" not in everything, everything
        for secret in (*self.secrets, *self.wecom.tokens):
            assert secret not in everything, f"{arguments} printed a secret or token"
        if not any("json" in word for word in arguments) and "--show-personal" not in arguments:
            assert not MOBILE.search(everything), MOBILE.findall(everything)
        return printed

    # Looking

    @property
    def active_userids(self) -> set[str]:
        """Whoever WeCom has and has not disabled."""
        return {member.userid for member in self.wecom.members.values() if member.enable}

    def writes_by(self, *arguments: str, code: int = 0) -> list[str]:
        """Run a command that must end with `code`; gives the write calls that it made."""
        before = len(self.wecom.log)
        printed = self.run(*arguments)
        assert printed.code == code, f"{printed.code}: {printed.err}\n--- stdout:\n{printed.out}"
        return [call.path for call in self.wecom.log[before:] if call.is_write]


@contextmanager
def open_stage(home: Path, **facts: Any) -> Iterator[Stage]:
    """A company with twelve people, and a WeCom that holds nobody."""
    wecom = SandboxState(contact_secret=SECRET)
    with running_sandbox(wecom) as base_url:
        yield Stage(home=home, wecom=wecom, base_url=base_url, **facts)


def emp_no(number: int) -> str:
    return f"E{number:03}"


def mobile(number: int) -> str:
    return f"138{number:08}"


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    """Until it holds; a failure where it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C."""
    process.send_signal(signal.SIGINT)
