"""What goes wrong with databases and files, and that nobody in WeCom loses anything by it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.journeys.exported import export, file_settings, file_stage
from tests.journeys.hr import Hr, found, hr_database
from tests.journeys.ldap import Ended, LdapStory, Shown
from tests.journeys.stage import Stage, settings_of
from tests.servers.cutting import cutting
from tests.servers.mariadb import MariaDbServer
from tests.sources.exports import put, settle
from wxsync.errors import IncompleteReadError, SourceError, SourceUnavailableError
from wxsync.sources.base import Row, RowStream, SourceSession
from wxsync.sources.file import FileSource

PEOPLE, TAGS = 80, 4


@dataclass(kw_only=True)
class Company:
    """A company whose 80 people are in WeCom, and what WeCom showed by then."""

    stage: Stage
    hr: Hr
    shown: Shown

    def apply(self) -> Ended:
        """`wxsync apply`; whatever comes of it, nobody has lost a place, an account or a department."""
        ended = LdapStory(stage=self.stage).apply()
        assert LdapStory(stage=self.stage).wecom() == self.shown
        return ended

    def source(self, **changes: Any) -> None:
        """The source is another one from now on."""
        old = self.stage.settings.source["hr"]
        new = old.model_copy(update=changes)
        self.stage.settings = self.stage.settings.model_copy(update={"source": {"hr": new}})


def loaded(stage: Stage, hr: Hr) -> Company:
    """The first load is done, and once more a day later, so that it is remembered as whole."""
    stage.settle()
    stage.later(days=1)
    return Company(stage=stage, hr=hr, shown=LdapStory(stage=stage).wecom())


# Databases


@dataclass(kw_only=True)
class SqlCompany(Company):
    url: str

    def run(self, *statements: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()


def in_database(url: str, folder: Path) -> SqlCompany:
    hr = found(41, members=PEOPLE, departments=10, tags=TAGS)
    with hr_database(url) as engine:
        hr.save(engine)
    company = loaded(Stage(settings_of(url, folder / "mirror.db", tags={})), hr)
    made = SqlCompany(stage=company.stage, hr=hr, shown=company.shown, url=url)
    made.source(receive_timeout=2)
    return made


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> SqlCompany:
    """The company in a PostgreSQL, and in a MariaDB."""
    return in_database(request.getfixturevalue(request.param), tmp_path)


@pytest.mark.parametrize(
    ("way", "parts"), [("ends_at", (0.05, 0.3, 0.6, 0.9, 0.99)), ("stops_at", (0.2, 0.8))]
)
def test_a_line_that_breaks_in_the_middle(sql: SqlCompany, way: str, parts: tuple[float, ...]) -> None:
    """Cut or silent, at whichever byte: exit code 1. A plan of the rows that came is never made."""
    url = make_url(sql.url)
    with cutting(url.port or 0) as whole:
        sql.source(url=url.set(port=whole.port).render_as_string(hide_password=False))
        assert sql.apply().code == 0
    for part in parts:
        with cutting(url.port or 0) as line:
            setattr(line, way, int(whole.said * part))
            here = url.set(port=line.port).render_as_string(hide_password=False)
            sql.source(url=here, receive_timeout=1)
            ended = sql.apply()
        assert (ended.code, type(ended.error)) == (1, SourceUnavailableError)


def test_a_server_that_is_gone(sql: SqlCompany) -> None:
    """Exit code 1."""
    sql.source(url=make_url(sql.url).set(port=1).render_as_string(hide_password=False))
    ended = sql.apply()
    assert (ended.code, type(ended.error)) == (1, SourceUnavailableError)


def test_a_mariadb_that_is_killed_while_it_is_read(own_mariadb: MariaDbServer, tmp_path: Path) -> None:
    """Exit code 1; and the same as long as it is down."""
    company = in_database(own_mariadb.url(own_mariadb.create_database()), tmp_path)
    url = make_url(company.url)
    with cutting(url.port or 0) as line:
        company.source(url=url.set(port=line.port).render_as_string(hide_password=False))
        line.acts_at, line.act = 9000, own_mariadb.kill
        for _ in range(2):
            ended = company.apply()
            assert (ended.code, type(ended.error)) == (1, SourceUnavailableError)


def test_a_statement_that_takes_too_long(sql: SqlCompany) -> None:
    """The server ends it: exit code 1."""
    slow = "pg_sleep(0.05)" if "postgres" in sql.url else "sleep(0.05) AS slept"
    sql.source(members=f"SELECT *, {slow} FROM employees")
    database = make_url(sql.url).database
    if "postgres" in sql.url:
        sql.run(f"ALTER DATABASE {database} SET statement_timeout = '200ms'")
        ended = sql.apply()
    else:
        sql.run("SET GLOBAL max_statement_time = 0.2")
        ended = sql.apply()
        sql.run("SET GLOBAL max_statement_time = 0")
    assert (ended.code, type(ended.error)) == (1, SourceUnavailableError)


def test_a_replica_that_is_behind(sql: SqlCompany, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Twelve people newer than it would leave: whole as it looks, the limits refuse it, exit code 4."""
    server = request.getfixturevalue("postgres_server" if "postgres" in sql.url else "mariadb_server")
    name = server.create_database()
    newest = sorted(sql.hr.employees)[-12:]
    old = found(41, members=PEOPLE, departments=10, tags=TAGS)
    for emp_no in newest:
        del old.employees[emp_no]
    old.places = {key: row for key, row in old.places.items() if key[0] not in newest}
    old.tags = {pair for pair in old.tags if pair[1] not in newest}
    with hr_database(server.url(name)) as engine:
        old.save(engine)
    sql.source(url=server.url(name))
    ended = sql.apply()
    server.drop_database(name)
    assert ended.code == 4
    assert "member_remove" in str(ended.error)


def test_a_view_that_joins_nothing_any_more(sql: SqlCompany) -> None:
    """Nobody at all is no company: exit code 1."""
    sql.run(
        "CREATE TABLE contracts (emp_no varchar(20))",
        "INSERT INTO contracts SELECT emp_no FROM employees",
        "CREATE VIEW people AS SELECT e.* FROM employees e JOIN contracts c ON c.emp_no = e.emp_no",
    )
    sql.source(members="SELECT * FROM people")
    assert sql.apply().code == 0
    sql.run("DELETE FROM contracts")
    ended = sql.apply()
    assert (ended.code, type(ended.error)) == (1, IncompleteReadError)


def test_a_view_that_joins_half(sql: SqlCompany) -> None:
    """As while somebody fills the other table: over its limit, exit code 4."""
    sql.run(
        "CREATE TABLE contracts (emp_no varchar(20))",
        "INSERT INTO contracts SELECT emp_no FROM employees WHERE emp_no < 'E000050'",
        "CREATE VIEW people AS SELECT e.* FROM employees e JOIN contracts c ON c.emp_no = e.emp_no",
    )
    sql.source(members="SELECT * FROM people")
    ended = sql.apply()
    assert ended.code == 4
    assert "source_shrink" in str(ended.error)


@pytest.mark.parametrize(
    ("table", "query"), [("employee_departments", "memberships"), ("employee_tags", "tags")]
)
def test_a_second_list_that_is_suddenly_empty(sql: SqlCompany, table: str, query: str) -> None:
    """Nobody leaves their other departments or tags: over its limit, exit code 4."""
    sql.run(f"DELETE FROM {table}")
    ended = sql.apply()
    assert ended.code == 4
    assert f"hr.{query}" in str(ended.error) or "source_shrink" in str(ended.error)


def test_departments_that_are_suddenly_none(sql: SqlCompany) -> None:
    """Exit code 1."""
    sql.run("DELETE FROM departments")
    ended = sql.apply()
    assert (ended.code, type(ended.error)) == (1, IncompleteReadError)


def test_a_status_that_means_something_else(sql: SqlCompany) -> None:
    """Everybody would be a leaver: over its limit, exit code 4."""
    sql.run("UPDATE employees SET status = 'Active'")
    ended = sql.apply()
    assert ended.code == 4
    assert "member_remove" in str(ended.error)


def test_a_column_that_is_gone(sql: SqlCompany) -> None:
    """Told before a row is read: exit code 1."""
    sql.source(members="SELECT emp_no, full_name FROM employees")
    assert sql.apply().code == 1


# Files


@pytest.fixture(params=["csv", "json", "xlsx"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Company:
    """The company in CSV, in JSON and in Excel files."""
    return in_files(tmp_path, request.param)


@pytest.fixture
def csv(tmp_path: Path) -> Company:
    """The company in CSV files."""
    return in_files(tmp_path, "csv")


def in_files(folder: Path, ending: str) -> Company:
    hr = found(42, members=PEOPLE, departments=10, tags=TAGS)
    stage = file_stage(folder, ending, tags={})
    export(hr, folder / "export", ending)
    return loaded(stage, hr)


def file_of(company: Company, query: str = "members") -> Path:
    path: Path = getattr(company.stage.settings.source["hr"], query).path
    return path


@pytest.mark.parametrize("query", ["departments", "members", "memberships", "tags"])
def test_a_file_that_is_cut(files: Company, query: str) -> None:
    """Wherever it is cut: it is refused, or nobody is taken for absent."""
    path = file_of(files, query)
    content = path.read_bytes()
    for part in (0.02, 0.3, 0.5, 0.7, 0.97):
        put(path, content[: int(len(content) * part)])
        ended = files.apply()
        assert ended.code in ((1, 4, 5) if path.suffix == ".csv" else (1,))
        assert ended.problems or ended.code != 5


@pytest.mark.parametrize(("part", "code"), [(0.3, 1), (0.45, 1), (0.6, 4), (0.85, 4)])
def test_a_file_that_is_cut_between_two_rows(csv: Company, part: float, code: int) -> None:
    """Less than half is refused whatever the limits allow; more than that by them."""
    path = file_of(csv)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    put(path, "".join(lines[: int(len(lines) * part)]))
    ended = csv.apply()
    assert ended.code == code
    if code == 1:
        assert isinstance(ended.error, IncompleteReadError)
        assert "less than half of the 80" in ended.error.message


def test_half_a_file_is_refused_without_limits_too(tmp_path: Path) -> None:
    """No limit and no approval lifts it; another name of the source does."""
    hr = found(42, members=PEOPLE, departments=10, tags=TAGS)
    wide = dict.fromkeys(("member_remove", "source_shrink", "field_change", "member_update"), 1000000)
    stage = file_stage(tmp_path, "csv", tags={}, limits=wide)
    export(hr, tmp_path / "export")
    company = loaded(stage, hr)
    path = file_of(company)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    put(path, "".join(lines[:30]))
    with pytest.raises(IncompleteReadError) as caught:
        stage.plan()
    assert "give the source another name" in str(caught.value.hint)
    assert company.apply().code == 1


def test_a_file_that_is_being_written(files: Company) -> None:
    """Exit code 1 until it has lain still for a moment."""
    path = file_of(files)
    path.touch()
    ended = files.apply()
    assert (ended.code, type(ended.error)) == (1, SourceUnavailableError)
    settle(path)
    assert files.apply().code == 0


def test_a_file_that_somebody_has_open(files: Company) -> None:
    """Exit code 1 as long as the lock lies beside it."""
    path = file_of(files)
    lock = put(path.with_name(f"~${path.name}"), b"")
    ended = files.apply()
    assert (ended.code, type(ended.error)) == (1, SourceUnavailableError)
    lock.unlink()
    assert files.apply().code == 0


@dataclass
class Meddled:
    """A real source of files, at which something is done in the middle of the members."""

    whole: FileSource
    act: Callable[[], None]
    name: str = "hr"
    canaries: tuple[str, ...] = ()

    @contextmanager
    def open(self) -> Iterator[SourceSession]:
        with self.whole.open() as session:
            yield MeddledSession(session, self.act)


@dataclass
class MeddledSession:
    whole: SourceSession
    act: Callable[[], None]

    def has(self, query: str) -> bool:
        return self.whole.has(query)

    def read(self, query: str, names: frozenset[str] = frozenset()) -> RowStream:
        stream = self.whole.read(query, names)
        return MeddledRows(stream, self.act) if query == "members" else stream


@dataclass
class MeddledRows:
    whole: RowStream
    act: Callable[[], None]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.whole.columns

    @property
    def vocabulary(self) -> Collection[str] | None:
        return self.whole.vocabulary

    def __iter__(self) -> Iterator[Row]:
        for number, row in enumerate(self.whole):
            if number == 40:
                self.act()
            yield row

    @property
    def proof(self) -> Any:
        return self.whole.proof


@pytest.mark.parametrize("way", ["replaced", "cut", "removed"])
def test_a_file_that_is_replaced_while_it_is_read(files: Company, tmp_path: Path, way: str) -> None:
    """Exit code 1: neither the old nor the new one is taken for the truth."""
    path = file_of(files)

    def meddle() -> None:
        if way == "cut":
            os.truncate(path, path.stat().st_size // 2)
        elif way == "removed":
            path.unlink()
        else:
            files.hr.employees.popitem()
            export(files.hr, tmp_path / "new", path.suffix[1:])
            (tmp_path / "new" / path.name).rename(path)

    source = FileSource("hr", file_settings(path.parent, path.suffix[1:]))
    files.stage.sources = [Meddled(source, meddle)]
    ended = files.apply()
    assert (ended.code, type(ended.error)) == (1, SourceUnavailableError)


def test_a_file_in_another_encoding(csv: Company) -> None:
    """GB18030 in the place of UTF-8 is the same file; a mix of both is exit code 1."""
    path = file_of(csv)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    put(path, "".join(lines), "gb18030")
    assert csv.apply().code == 0
    mixed = b"".join(line.encode("gb18030" if n % 9 else "utf-8") for n, line in enumerate(lines))
    put(path, mixed)
    ended = csv.apply()
    assert (ended.code, type(ended.error)) == (1, SourceError)


def test_utf8_under_the_name_of_gb18030(csv: Company) -> None:
    """Every name would become another one: exit code 1."""
    csv.source(encoding="gb18030")
    ended = csv.apply()
    assert (ended.code, type(ended.error)) == (1, SourceError)


@pytest.mark.parametrize("change", [("full_name", "emp_no"), ("title", ""), ("mobile", "phone")])
def test_a_header_that_is_another_one(csv: Company, change: tuple[str, str]) -> None:
    """A name that is there twice, missing or another one: exit code 1."""
    path = file_of(csv)
    put(path, path.read_text(encoding="utf-8").replace(*change, 1))
    assert csv.apply().code == 1


def test_yesterdays_file_of_another_month(csv: Company, tmp_path: Path) -> None:
    """Whole, and fifteen people short: the limits refuse it, exit code 4."""
    for emp_no in sorted(csv.hr.employees)[-15:]:
        del csv.hr.employees[emp_no]
    csv.hr.places = {key: row for key, row in csv.hr.places.items() if key[0] in csv.hr.employees}
    csv.hr.tags = {pair for pair in csv.hr.tags if pair[1] in csv.hr.employees}
    export(csv.hr, file_of(csv).parent)
    ended = csv.apply()
    assert ended.code == 4
    assert "member_remove" in str(ended.error)


def test_a_file_that_is_not_there(files: Company) -> None:
    """Exit code 1."""
    file_of(files).unlink()
    ended = files.apply()
    assert (ended.code, type(ended.error)) == (1, SourceUnavailableError)
