"""A private PostgreSQL for the tests: loopback only, a port of its own, gone when they end."""

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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.servers.ports import free_port
from tests.servers.presence import require

START_SECONDS = 60
ATTEMPTS = 5
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server that nobody else uses; user `postgres` may do everything in it."""

    port: int
    password: str
    process: subprocess.Popen[bytes]
    log: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database of this server."""
        return f"postgresql+psycopg://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A plain psycopg connection, in autocommit."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            password=self.password,
            dbname=database,
            autocommit=True,
        )

    def create_database(self, template: str = "template0") -> str:
        """Make a database and give its name; `template` is copied, data and all."""
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("create database {} template {}")
        with self.connect() as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A private PostgreSQL server, one for each test process."""
    programs = find_programs()
    require(package="postgresql", present=programs is not None)
    assert programs is not None
    with run_postgres(programs) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL (postgresql+psycopg://...) of a fresh, empty database."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


def find_programs() -> Path | None:
    """The folder of initdb and postgres: the newest of Debian's, else whatever PATH has."""
    debian = Path("/usr/lib/postgresql")
    numbered = [(int(p.name), p / "bin") for p in debian.glob("*") if p.name.isdigit()]
    folders = [folder for _, folder in sorted(numbered, reverse=True)]
    found = shutil.which("postgres")
    if found is not None:
        folders.append(Path(found).resolve().parent)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


@contextmanager
def run_postgres(programs: Path) -> Iterator[PostgresServer]:
    """A server from initdb to its end; its files are removed."""
    # Not pytest's tmp_path: that belongs to root alone, and PostgreSQL refuses to run as root.
    home = Path(tempfile.mkdtemp(prefix="wxsync-postgres-"))
    try:
        password = secrets.token_hex(8)
        create_cluster(programs, home, password)
        server = start(programs, home, password)
        try:
            yield server
        finally:
            stop(server.process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def create_cluster(programs: Path, home: Path, password: str) -> None:
    """Run initdb in `home`/data, as the user who will run the server."""
    secret = home / "password"
    secret.write_text(password, encoding="ascii")
    user = server_user()
    if user is not None:
        shutil.chown(home, user=user)
        shutil.chown(secret, user=user)
    arguments = ["-A", "scram-sha-256", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(
        [programs / "initdb", "-D", home / "data", f"--pwfile={secret}", *arguments],
        check=True,
        capture_output=True,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd=home,
    )


def start(programs: Path, home: Path, password: str) -> PostgresServer:
    """Start on a free port; another one is tried when somebody else was quicker."""
    for _ in range(ATTEMPTS):
        port = free_port()
        log = home / "log"
        server = PostgresServer(
            port=port, password=password, process=launch(programs, home, port, log), log=log
        )
        if answers(server):
            return server
        stop(server.process)
    pytest.fail(f"PostgreSQL does not start:\n{log.read_text(errors='replace')}", pytrace=False)


def launch(programs: Path, home: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Run the server in the foreground, as our child; it dies with us where the system can do that."""
    user = server_user()
    settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *FAST]
    options = [word for setting in settings for word in ("-c", setting)]
    mortal = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
    with log.open("ab") as output:
        return subprocess.Popen(
            [*mortal, programs / "postgres", "-D", home / "data", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            cwd=home,
            start_new_session=True,  # a Ctrl-C at the terminal is pytest's; we stop the server ourselves
        )


def answers(server: PostgresServer) -> bool:
    """Whether the server takes a connection before the time is over or it ends."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return True
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server without waiting for its clients; kill it if it does not listen."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def server_user() -> str | None:
    """Whom the server runs as: `postgres` where we are root, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        require(package="postgresql", present=False)
        return None
