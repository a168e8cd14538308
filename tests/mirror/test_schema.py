"""Opening and migrating a mirror."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import String, create_engine, inspect, text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.schema import CreateTable

from wxsync.errors import MirrorError, SchemaBehindError
from wxsync.mirror import links, schema
from wxsync.mirror.migrating import config_of
from wxsync.mirror.store import Store
from wxsync.mirror.tables import metadata


def set_version(url: str, revision: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE wxsync_schema SET version_num = :revision"), {"revision": revision})
    engine.dispose()


def test_the_migrations_make_what_the_tables_say(store: Store):
    """alembic finds no difference, types included, on every database."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("dialect", [mysql.dialect(), mysql.dialect(is_mariadb=True)])
def test_on_mysql_every_text_compares_byte_by_byte(dialect: Dialect):
    """Its default collations would take A for a, and é for e."""
    for table in metadata.sorted_tables:
        made = str(CreateTable(table).compile(dialect=dialect))
        lines = [line for line in made.splitlines() if " VARCHAR" in line or "TEXT" in line]
        assert len(lines) == sum(isinstance(column.type, String) for column in table.columns), made
        assert all("CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" in line for line in lines), made


def test_a_fresh_file_is_migrated_by_itself(sqlite_url: str):
    """An absent file becomes a mirror at head."""
    schema.prepare(sqlite_url).dispose()
    status = schema.status(sqlite_url)
    assert status.is_at_head
    assert not status.is_newer
    assert status.size_bytes


def test_an_empty_file_is_fresh(sqlite_url: str, tmp_path: Path):
    """A file of no bytes, as a crash or `touch` leaves it, is migrated too."""
    (tmp_path / "mirror.db").touch()
    schema.prepare(sqlite_url).dispose()
    assert schema.status(sqlite_url).is_at_head


def test_opening_again_changes_nothing(sqlite_url: str):
    """A mirror at head is opened as it is."""
    schema.prepare(sqlite_url).dispose()
    before = schema.status(sqlite_url)
    schema.prepare(sqlite_url).dispose()
    assert schema.status(sqlite_url) == before


def test_many_processes_may_open_a_fresh_file_at_once(sqlite_url: str):
    """One migrates, the others wait for it and find nothing to do."""
    code = "import sys; from wxsync.mirror import schema; schema.prepare(sys.argv[1])"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, sqlite_url], stderr=subprocess.PIPE) for _ in range(4)
    ]
    errors = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    assert schema.status(sqlite_url).is_at_head


def test_an_empty_server_database_wants_the_upgrade_command(server_url: str):
    """On a server nothing is made unasked: a mistyped database name must not look like a first load."""
    with pytest.raises(SchemaBehindError, match="has no tables yet") as caught:
        schema.prepare(server_url)
    assert caught.value.hint == "run `wxsync db upgrade`"
    assert schema.status(server_url).current is None
    assert schema.upgrade(server_url).is_at_head
    schema.prepare(server_url).dispose()


def test_upgrading_twice_is_harmless(mirror_url: str):
    """The second upgrade finds everything done."""
    assert schema.upgrade(mirror_url).is_at_head
    assert schema.upgrade(mirror_url).is_at_head


def test_a_mirror_of_the_first_version_is_upgraded(sqlite_url: str):
    """What later versions add is made, what stands is not touched, and who is gone has a retired userid."""
    schema.prepare(sqlite_url).dispose()
    engine = create_engine(sqlite_url)
    config = config_of(schema.migrations_directory())
    with engine.begin() as connection:
        for table in inspect(connection).get_table_names():
            connection.execute(text(f"DROP TABLE {table}"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO baselines VALUES ('acme', 'acme', 'hr', 'members', 7, 1)"))
        for key, state in (("E1", "gone"), ("E2", "ours")):
            connection.execute(
                text(
                    "INSERT INTO member_links (corp, sync, key, userid, userid_folded, state, known_values)"
                    f" VALUES ('acme', 'acme', '{key}', '{key}', '{key.lower()}', '{state}', '{{}}')"
                )
            )
    engine.dispose()
    with pytest.raises(SchemaBehindError, match="old schema"):
        schema.prepare(sqlite_url)
    assert schema.upgrade(sqlite_url).is_at_head
    engine = schema.prepare(sqlite_url)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) >= set(metadata.tables)
        assert connection.scalar(text("SELECT row_count FROM baselines")) == 7
        remembered = links.load(connection, "acme", "acme")
    assert remembered.retired_userids == {"e1": "E1"}
    assert {key: link.missing_since for key, link in remembered.members.items()} == {"E1": None, "E2": None}
    engine.dispose()


def test_a_schema_of_a_later_version_is_said_to_be_one(mirror_url: str):
    """Neither opened nor "upgraded" by a program that does not know it."""
    schema.upgrade(mirror_url)
    set_version(mirror_url, "9999")
    for act in (schema.prepare, schema.upgrade):
        with pytest.raises(SchemaBehindError, match=r"newer schema \(9999\) than this version"):
            act(mirror_url)
    assert schema.status(mirror_url).is_newer


def test_an_old_schema_is_refused_with_the_command_that_mends_it(sqlite_url: str):
    """A mirror that was begun and is not at head is not touched."""
    schema.prepare(sqlite_url).dispose()
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM wxsync_schema"))
    engine.dispose()
    with pytest.raises(SchemaBehindError) as caught:
        schema.prepare(sqlite_url)
    assert "wxsync db upgrade" in str(caught.value.hint)


def test_status_makes_no_file(sqlite_url: str, tmp_path: Path):
    """Asking is not making."""
    status = schema.status(sqlite_url)
    assert (status.current, status.size_bytes, status.is_at_head) == (None, 0, False)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_migration_leaves_nothing_behind(sqlite_url: str, tmp_path: Path):
    """Half a schema never stands: the file is as fresh as before, and the next start succeeds."""
    schema.prepare(sqlite_url).dispose()
    engine = schema.prepare(sqlite_url)
    with engine.begin() as connection:
        for name in inspect(connection).get_table_names():
            if name not in ("leases", schema.VERSION_TABLE, "sqlite_sequence"):
                connection.execute(text("PRAGMA defer_foreign_keys = ON"))
                connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("DELETE FROM wxsync_schema"))
    engine.dispose()
    with pytest.raises(MirrorError, match="already exists"):
        schema.upgrade(sqlite_url)
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as connection:
        left = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert left == {"leases", schema.VERSION_TABLE, "sqlite_sequence"}


def test_a_directory_that_is_not_there_is_named(tmp_path: Path):
    """The error says what is missing and how to make it."""
    with pytest.raises(MirrorError, match=f"no directory {tmp_path}/nowhere") as caught:
        schema.prepare(f"sqlite:///{tmp_path}/nowhere/mirror.db")
    assert f"mkdir -p {tmp_path}/nowhere" in str(caught.value.hint)


def test_a_directory_is_no_mirror(tmp_path: Path):
    """Nor is a path that names one taken for a locked or damaged file."""
    with pytest.raises(MirrorError, match="is a directory"):
        schema.prepare(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database_is_said_to_be_none(sqlite_url: str, tmp_path: Path):
    """And it is left as it is."""
    (tmp_path / "mirror.db").write_text("[mirror]\n" * 200, encoding="utf-8")
    with pytest.raises(MirrorError, match=r"mirror\.db is not a mirror: the file is no SQLite database"):
        schema.prepare(sqlite_url)
    assert (tmp_path / "mirror.db").read_text(encoding="utf-8") == "[mirror]\n" * 200


def test_somebody_elses_database_is_not_touched(sqlite_url: str, tmp_path: Path):
    """mirror.url that names the HR database by mistake makes no table and no change in it."""
    path = tmp_path / "mirror.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE employees (emp_no TEXT)")
    connection.close()
    path.chmod(0o644)
    before = path.read_bytes()
    for act in (schema.prepare, schema.upgrade, schema.status):
        with pytest.raises(MirrorError, match="a database, but not a mirror: it holds employees"):
            act(sqlite_url)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url", "mirror.url is no database URL"),
        ("postgresql://wx:hunter2@host:port/db", "mirror.url is no database URL"),
        ("oracle://wx:hunter2@host/db", "a mirror cannot live in oracle"),
        ("nosuchthing://wx:hunter2@host/db", "a mirror cannot live in nosuchthing"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("mysql+nosuchdriver://wx:hunter2@host/db", "cannot be used"),
    ],
)
def test_an_unusable_url_is_explained_without_its_password(url: str, said: str):
    """No message of an error or its hint holds the password of the URL."""
    with pytest.raises(MirrorError) as caught:
        schema.prepare(url)
    assert said in caught.value.message
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_a_server_that_is_not_there_is_explained_without_the_password():
    """A refused connection names the place, and no secret."""
    with pytest.raises(MirrorError, match="cannot be reached") as caught:
        schema.prepare("postgresql+psycopg://wx:hunter2@127.0.0.1:1/mirror?application_name=hunter3")
    assert "wx:***@127.0.0.1:1/mirror" in caught.value.message
    assert "refused" in caught.value.message
    assert "hunter" not in f"{caught.value.message} {caught.value.hint}"


def test_a_wrong_password_is_explained_without_it(server_url: str):
    """The server's own words are passed on."""
    wrong = make_url(server_url).set(password="hunter2")
    words = "password authentication failed|Access denied for user 'root'"
    with pytest.raises(MirrorError, match=words) as caught:
        schema.prepare(wrong)
    assert "hunter2" not in caught.value.message


def test_the_migrations_are_found():
    """There is one place for migrations, and it has alembic's files."""
    place = schema.migrations_directory()
    assert (place / "env.py").is_file()
    assert (place / "script.py.mako").is_file()
    assert min(path.name for path in (place / "versions").glob("0*.py")) == "0001_first_tables.py"


def test_the_revisions_are_those_of_alembic():
    """A migration's file begins with its revision, and the last one by number is the head."""
    place = schema.migrations_directory()
    scripts = ScriptDirectory.from_config(config_of(place))
    assert schema.head() == scripts.get_current_head()
    listed = {Path(script.path).name: script.revision for script in scripts.walk_revisions()}
    assert len(listed) == len(list((place / "versions").glob("*.py")))
    for name, revision in listed.items():
        assert name.startswith(f"{revision}_")


def test_who_does_not_migrate_does_not_load_alembic(sqlite_url: str):
    """Opening a mirror that is at head takes none of its memory."""
    schema.prepare(sqlite_url).dispose()
    code = (
        "import sys; from wxsync.mirror import schema; schema.prepare(sys.argv[1]); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, sqlite_url], check=False).returncode == 0
