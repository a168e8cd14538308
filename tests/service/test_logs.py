"""The daemon's log: each form, with run, sync and corp in every line of a run, and nobody's secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import pty
import socket
import struct
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from wxsync.config.loader import load_settings, secrets_of
from wxsync.config.settings import ServiceSettings
from wxsync.errors import SourceError
from wxsync.service import journald
from wxsync.service.logs import configure_logs, form_for

SECRET = "contact-secret-9f3b71c2d4"
DIGEST = "9f3c13812345678b0e5d7a41c6b2f8e09f3c13912345678b0e5d7a41c6b2f8e0"


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What a test makes of the process's logging is undone."""
    root, ours = logging.getLogger(), logging.getLogger("wxsync")
    before = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    yield
    root.handlers[:], root.level, ours.level, logging.raiseExceptions = before
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def out() -> io.StringIO:
    """Where JSON lines of the test go, from `debug` on."""
    stream = io.StringIO()
    configure_logs(ServiceSettings(log="json", log_level="debug"), lambda: {SECRET}, stream=stream)
    return stream


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def log() -> Any:
    return structlog.get_logger("wxsync.test")


# Forms


def test_a_line_of_a_run_says_whose_it_is(out: io.StringIO) -> None:
    """Run, sync and corp come right after the event, in every line while they are bound, and in no other."""
    with bound_contextvars(run=12, sync="acme", corp="acme-group"):
        log().info("The run began", cause="schedule")
        log().warning("The source is slow", seconds=3.5)
    log().info("The daemon is idle")

    began, slow, idle = lines(out)
    assert list(began) == ["at", "level", "event", "corp", "sync", "run", "cause", "logger"]
    assert (began["run"], began["sync"], began["corp"]) == (12, "acme", "acme-group")
    assert (slow["run"], slow["level"], slow["seconds"]) == (12, "warning", 3.5)
    assert not {"run", "sync", "corp"} & idle.keys()


def test_lines_of_threads_and_libraries_say_whose_they_are(out: io.StringIO) -> None:
    """What a library logs in a thread that the run started carries the run too."""

    def read() -> None:
        logging.getLogger("ldap3").warning("the server is %s", "slow")

    async def run() -> None:
        with bound_contextvars(run=7, sync="acme", corp="acme"):
            await asyncio.to_thread(read)

    asyncio.run(run())

    [line] = lines(out)
    assert (line["event"], line["run"], line["logger"]) == ("the server is slow", 7, "ldap3")


def test_libraries_speak_from_a_warning_on(out: io.StringIO) -> None:
    """Also where wxsync's own level is debug; a warning of Python counts among them."""
    for name in ("apscheduler", "asyncio", "httpx", "ldap3", "sqlalchemy.engine", "alembic"):
        logging.getLogger(name).info("GET https://example.com/?access_token=t0k3n")
        logging.getLogger(name).warning("all is not well")
    log().debug("ours")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    events = [line["event"] for line in lines(out)]
    assert events[:7] == ["all is not well"] * 6 + ["ours"]
    assert "DeprecationWarning: old" in events[7]


def test_the_level_is_taken_anew() -> None:
    """A second call goes by what it is given, and no line is written twice."""
    stream = io.StringIO()
    configure_logs(ServiceSettings(log="json", log_level="debug"), frozenset, stream=stream)
    configure_logs(ServiceSettings(log="json", log_level="warning"), frozenset, stream=stream)

    log().info("unsaid")
    log().warning("said")

    assert [line["event"] for line in lines(stream)] == ["said"]


def test_text_for_a_terminal() -> None:
    """key=value; what is more than a word is quoted; colours, but not under NO_COLOR."""
    plain, coloured = Terminal(), Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_COLOR", "1")
        assert (
            configure_logs(ServiceSettings(log="auto", log_level="info"), frozenset, stream=plain) == "text"
        )
        log().info("The run ended", run=12, ending="done", why="it was 张三's turn", took=0.5)
    configure_logs(ServiceSettings(log="auto", log_level="info"), frozenset, stream=coloured)
    log().info("The run ended", run=12)

    said = plain.getvalue()
    assert said.endswith(
        'info    The run ended run=12 ending=done logger=wxsync.test took=0.5 why="it was 张三\'s turn"\n'
    )
    assert "\x1b[" not in said
    assert "\x1b[" in coloured.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_is_one_line(form: str) -> None:
    """What comes from outside cannot begin a line of its own, nor give orders to a terminal."""
    stream = Terminal()
    configure_logs(ServiceSettings.model_validate({"log": form}), frozenset, stream=stream)

    log().info("odd\nlevel=error", why='a\r\nb\x1b[2J\x9b2J "c"\u2028d')

    said = stream.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\x1b[36m", "")
    assert said.count("\n") == 1
    assert not any(each in said for each in "\r\x1b") or form == "json"
    assert "\x1b" not in said


def test_what_auto_means(tmp_path: Path) -> None:
    """The journal only where the very file is the one that systemd named; a terminal; else JSON."""
    with (tmp_path / "out").open("w", encoding="utf-8") as out:
        found = os.fstat(out.fileno())
        here = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert form_for(out, "auto", here) == "journal"
        assert form_for(out, "auto", {"JOURNAL_STREAM": "1:2"}) == "json"
        assert form_for(out, "auto", {}) == "json"
        assert form_for(out, "text", here) == "text"
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "w", encoding="utf-8") as terminal:
        assert form_for(terminal, "auto", {}) == "text"
    os.close(theirs)


# The journal


class Journal:
    """What stands at the journal's address, and the fields of each line that it was given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def lines(self) -> list[dict[str, str]]:
        found = []
        while True:
            try:
                found.append(fields_of(self.socket.recv(1 << 20)))
            except BlockingIOError:
                return found


def fields_of(datagram: bytes) -> dict[str, str]:
    """By the page of the protocol: NAME=value, or NAME, a length of 8 bytes, and the value."""
    found = {}
    while datagram:
        head, _, datagram = datagram.partition(b"\n")
        name, is_plain, value = head.partition(b"=")
        if not is_plain:
            [length] = struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8 : 8 + length], datagram[8 + length + 1 :]
        found[name.decode()] = value.decode()
    return found


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A listener in a directory of its own: the path of a socket has to be short."""
    with tempfile.TemporaryDirectory(prefix="wxsync-") as home:
        listening = Journal(Path(home) / "socket")
        yield listening
        listening.socket.close()


def test_fields_of_the_journal(journal: Journal) -> None:
    """RUN, SYNC and CORP are fields of their own; the rest stands below WXSYNC_; the message says it all."""
    configure_logs(
        ServiceSettings(log="journal", log_level="info"),
        frozenset,
        stream=io.StringIO(),
        journal=journal.path,
    )
    with bound_contextvars(run=12, sync="acme", corp="group"):
        log().error("The run failed", error="first line\nRUN=13", priority=0)

    [line] = journal.lines()
    assert (line["RUN"], line["SYNC"], line["CORP"]) == ("12", "acme", "group")
    assert (line["PRIORITY"], line["SYSLOG_IDENTIFIER"]) == ("3", "wxsync")
    assert line["WXSYNC_ERROR"] == "first line\nRUN=13"
    assert line["WXSYNC_PRIORITY"] == "0"
    assert line["MESSAGE"].startswith("The run failed  corp=group sync=acme run=12 error=")


def test_a_long_line_is_taken(journal: Journal) -> None:
    """A value is cut, so that a line fits a datagram, whatever somebody wrote into a field."""
    configure_logs(
        ServiceSettings(log="journal", log_level="info"),
        frozenset,
        stream=io.StringIO(),
        journal=journal.path,
    )
    log().info("A long one", **{f"field{n}": "同" * 100_000 for n in range(10)})

    [line] = journal.lines()
    assert line["WXSYNC_FIELD9"].endswith("同…")
    assert len(line["WXSYNC_FIELD9"]) < 2100


def test_a_line_that_the_journal_does_not_take_is_not_lost(journal: Journal) -> None:
    """Where no journal listens, or it is stuck, the line goes to the stream as JSON, within seconds."""
    out = io.StringIO()
    configure_logs(
        ServiceSettings(log="journal", log_level="info"),
        frozenset,
        stream=out,
        journal=journal.path.parent / "none",
    )
    log().info("Nobody listens")
    configure_logs(
        ServiceSettings(log="journal", log_level="info"), frozenset, stream=out, journal=journal.path
    )
    for number in range(2000):
        log().info("Nobody reads", number=number)
        if "Nobody reads" in out.getvalue():
            break

    told = [line["event"] for line in lines(out)]
    assert told == ["Nobody listens", "Nobody reads"]


def test_the_stream_of_a_service_is_known() -> None:
    """In a process whose stderr is what JOURNAL_STREAM names, `auto` is the journal; not behind a pipe."""
    program = (
        "import os, sys; from wxsync.service.logs import form_for;"
        "s = os.fstat(2); os.environ['JOURNAL_STREAM'] = f'{s.st_dev}:{s.st_ino}';"
        "print(form_for(sys.stderr, 'auto', os.environ), form_for(sys.stdout, 'auto', os.environ))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["journal", "json"]


# What no line holds


PERSONAL = ("13812345678", "+8613812345678", "138 1234 5678", "+852 9876 5432", "lin.mei@example.com")


@pytest.mark.parametrize("value", PERSONAL)
def test_nobody_is_to_be_found_in_a_line(out: io.StringIO, value: str) -> None:
    """A phone number or an e-mail is in no line: as a value, in a list, as a number, in an error's text."""
    log().info(f"about {value}", value=value, values=[value, value], inner={"mobile": value})
    log().error("The source failed", exc_info=SourceError("hr", f"the row of {value} is odd"))
    logging.getLogger("ldap3").error("no such entry: %s", value)
    if value.isdigit():
        log().info("a number", number=int(value))

    assert len(lines(out)) == 3 + value.isdigit()
    assert value not in out.getvalue()
    assert value.replace(" ", "") not in out.getvalue().replace(" ", "")


def test_no_secret_is_in_a_line(out: io.StringIO) -> None:
    """Not one of the config's, nor a token in a URL, nor what logs on to a database or a proxy."""
    log().info("asked", url=f"https://x/cgi-bin/gettoken?corpid=ww1&corpsecret={SECRET}")
    log().info(f"it is {SECRET}")
    logging.getLogger("httpx").warning("GET https://x/cgi-bin/user/get?access_token=accesstoken0&userid=u")
    log().info("database", url="postgresql://hr:p4ssw0rd!@db/hr", proxy="http://u:pr0xypw@proxy:3128")
    log().info("asked", header="Authorization: Bearer abcdefgh12345678")

    for secret in (SECRET, "accesstoken0", "p4ssw0rd", "pr0xypw", "abcdefgh12345678"):
        assert secret not in out.getvalue()
    assert "userid=u" in out.getvalue()


def test_what_is_no_secret_stays(out: io.StringIO) -> None:
    """A digest, an errcode, a moment and a key are needed to go on; none of them looks like a person."""
    log().info("waits", digest=DIGEST, errcode=60020, why="errcode=60020 key=E001 at 2026-11-21T16:12:38Z")

    [line] = lines(out)
    assert line["digest"] == DIGEST
    assert line["why"] == "errcode=60020 key=E001 at 2026-11-21T16:12:38Z"
    assert line["errcode"] == 60020


def test_of_an_unforeseen_error_only_the_place_is_told(out: io.StringIO) -> None:
    """SQLAlchemy quotes the values of a statement; the line has the kinds of error and where it was."""
    try:
        with create_engine("sqlite://").begin() as connection:
            connection.execute(text("INSERT INTO gone VALUES (:name)"), {"name": "Lin Mei"})
    except SQLAlchemyError:
        log().exception("The run failed")

    [line] = lines(out)
    assert line["error"] == "OperationalError from OperationalError"
    assert "test_logs.py:" in line["at_code"]
    assert "Lin Mei" not in out.getvalue()
    assert "gone" not in out.getvalue()
    assert str(Path(__file__).parent) not in out.getvalue()


def test_an_error_of_ours_keeps_its_words(out: io.StringIO) -> None:
    """What wxsync itself raised says what, where and how to mend it."""
    log().error("The run failed", error=SourceError("hr", "cannot be reached", hint="is the server up?"))

    [line] = lines(out)
    assert line["error"] == "source hr: cannot be reached"
    assert (line["code"], line["hint"]) == ("source", "is the server up?")


def test_the_secrets_of_a_config(tmp_path: Path) -> None:
    """Every secret text is known, wherever it came from: such as the log must not have."""
    config = tmp_path / "wxsync.toml"
    config.write_text(
        """
[mirror]
url = "postgresql://wxsync:in-the-url@db/mirror"
[corp.acme]
corp_id = "ww1"
contact_secret = "env:S"
[corp.acme.app]
agent_id = 1
secret = "written-out"
""",
        encoding="utf-8",
    )
    settings = load_settings(config, environment={"S": SECRET}).settings

    assert secrets_of(settings) == {SECRET, "written-out", "in-the-url"}


def test_the_protocol_of_the_journal() -> None:
    """A name has capitals, digits and underscores, and 64 of them at most."""
    fields = fields_of(journald.to_datagram({"event": "x", "level": "warning", "ending-of a" * 9: 1}, "x y"))

    assert fields["MESSAGE"] == "x y"
    assert fields["PRIORITY"] == "4"
    assert max(map(len, fields)) == 64
    assert all(name.replace("_", "").isalnum() and name.isupper() for name in fields)
