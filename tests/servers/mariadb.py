"""A private MariaDB for the tests: loopback only, a port of its own, gone when they end."""

from __future__ import annotations

import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pymysql
import pytest

from tests.servers.ports import free_port
from tests.servers.presence import require

LOCAL = ("localhost", "127.0.0.1")
START_SECONDS = 60
ATTEMPTS = 5
MEMORY = Path("/dev/shm")
"""Each table that is made waits for the disk several times, and nothing can switch that off."""
OPTIONS = (
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--performance-schema=OFF",
    # What Debian's own configuration says. Its collation ignores case: 'E1' and 'e1' are equal to it.
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MariaDbServer:
    """A running server that nobody else uses; user `root` may do everything in it."""

    program: Path
    home: Path
    port: int
    password: str
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "mysql", scheme: str = "mariadb+pymysql") -> str:
        """The SQLAlchemy URL of a database of this server."""
        return f"{scheme}://root:{self.password}@127.0.0.1:{self.port}/{database}?charset=utf8mb4"

    def connect(self, database: str | None = None) -> pymysql.Connection:
        """A plain connection, in autocommit."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            password=self.password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
        )

    def run(self, *statements: str, database: str | None = None) -> tuple[tuple[object, ...], ...]:
        """Run statements one after the other; gives the rows of the last one."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return tuple(cursor.fetchall())
        finally:
            connection.close()

    def create_database(self) -> str:
        """Make an empty database and give its name."""
        name = f"test_{next(self._numbers)}"
        self.run(f"create database {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database; who is still in a transaction that has read from it is thrown out."""
        for (number,) in self.run(f"select id from information_schema.processlist where db = '{name}'"):
            with suppress(pymysql.err.OperationalError):  # it has gone by itself
                self.run(f"kill {number}")
        self.run(f"drop database if exists {name}")

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="session")
def mariadb_programs() -> Path:
    """Where mariadbd is."""
    found = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    is_there = found is not None and shutil.which("mariadb-install-db") is not None
    require(package="mariadb-server", present=is_there)
    assert found is not None
    return Path(found)


@pytest.fixture(scope="session")
def mariadb_server(mariadb_programs: Path) -> Iterator[MariaDbServer]:
    """A private MariaDB server, one for each test process."""
    with run_mariadb(mariadb_programs) as server:
        yield server


@pytest.fixture
def own_mariadb(mariadb_programs: Path) -> Iterator[MariaDbServer]:
    """A server for one test alone, which may kill it."""
    with run_mariadb(mariadb_programs) as server:
        yield server


@pytest.fixture
def mariadb_url(mariadb_server: MariaDbServer) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh, empty database."""
    name = mariadb_server.create_database()
    yield mariadb_server.url(name)
    mariadb_server.drop_database(name)


@contextmanager
def run_mariadb(program: Path) -> Iterator[MariaDbServer]:
    """A server from its first file to its end; its files are removed."""
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    home = Path(tempfile.mkdtemp(prefix="wxsync-mariadb-", dir=memory))
    try:
        create_files(home)
        server = start(program, home)
        try:
            yield server
        finally:
            stop(server.process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def create_files(home: Path) -> None:
    """Run mariadb-install-db in `home`/data, as the user who will run the server."""
    user = server_user()
    if user is not None:
        shutil.chown(home, user=user)
    options = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(
        ["mariadb-install-db", *options, f"--datadir={home / 'data'}"],
        check=True,
        capture_output=True,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd=home,
    )


def start(program: Path, home: Path) -> MariaDbServer:
    """Start on a free port; another one is tried when somebody else was quicker."""
    for _ in range(ATTEMPTS):
        port = free_port()
        process = launch(program, home, port)
        server = MariaDbServer(program=program, home=home, port=port, password="", process=process)
        if answers(server):
            password = secrets.token_hex(8)
            server.run(*(f"alter user root@'{host}' identified by '{password}'" for host in LOCAL))
            return replace(server, password=password)
        stop(process)
    pytest.fail(f"MariaDB does not start:\n{(home / 'log').read_text(errors='replace')}", pytrace=False)


def launch(program: Path, home: Path, port: int) -> subprocess.Popen[bytes]:
    """Run the server in the foreground, as our child; it dies with us where the system can do that."""
    user = server_user()
    own = [
        f"--datadir={home / 'data'}",
        f"--socket={home / 'socket'}",
        f"--pid-file={home / 'pid'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
    ]
    mortal = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with (home / "log").open("ab") as output:
        return subprocess.Popen(
            [*mortal, program, "--no-defaults", *own, *OPTIONS],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            cwd=home,
            start_new_session=True,  # a Ctrl-C at the terminal is pytest's; we stop the server ourselves
        )


def answers(server: MariaDbServer) -> bool:
    """Whether the server takes a connection before the time is over or it ends."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            server.connect().close()
        except pymysql.err.OperationalError:
            time.sleep(0.02)
        else:
            return True
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server; kill it if it does not listen."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def server_user() -> str | None:
    """Whom the server runs as: `mysql` where we are root, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("mysql").pw_name
    except KeyError:
        require(package="mariadb-server", present=False)
        return None
