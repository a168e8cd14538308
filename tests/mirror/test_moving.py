"""The mirror, moved to another database and on."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text, update

from tests.mirror.filling import fill
from wxsync.errors import MirrorError, RunInProgressError
from wxsync.mirror import journal, lease, schema
from wxsync.mirror.copying import COPIED, TableSum, sums_of
from wxsync.mirror.marks import Mark, MarkKind, marks, put_mark
from wxsync.mirror.moving import Moved, move
from wxsync.mirror.store import Store
from wxsync.mirror.tables import claims, leases, runs, tag_links

AT = datetime(2026, 1, 31, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror that holds something in every table, to be copied from."""
    file = tmp_path_factory.mktemp("filled") / "mirror.db"
    store = Store(schema.prepare(f"sqlite:///{file}"))
    fill(store)
    free(store)
    store.close()
    return file


@pytest.fixture
def filled(filled_file: Path, sqlite_url: str, tmp_path: Path) -> str:
    """The same for one test alone."""
    shutil.copy(filled_file, tmp_path)
    return sqlite_url


def free(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(update(leases).values(owner=None))


def moved(source: str, target: str) -> Moved:
    return move(source, target, ["acme"], AT, lambda done, total: None)


def held_by(url: str) -> dict[str, TableSum]:
    """What the mirror holds, but for its leases: those are of one database."""
    store = Store(schema.prepare(url, whatever_mark=True))
    with store.reading() as connection:
        sums = sums_of(connection)
    store.close()
    return {name: sum_ for name, sum_ in sums.items() if name != "leases"}


def kinds(url: str) -> list[MarkKind]:
    return [mark.kind for mark in schema.status(url).marks]


def begin_run(url: str) -> int:
    store = Store(schema.prepare(url))
    with store.transaction() as connection:
        number = journal.start_run(connection, sync="acme", corp="acme", trigger="manual", started_at=AT)
    store.close()
    return number


def test_round_all_databases_and_back_nothing_is_another(
    filled: str, postgres_url: str, mariadb_url: str, tmp_path: Path
) -> None:
    """Every value of every table, and the numbers of rows that are gone, come through all three."""
    store = Store(schema.prepare(filled))
    with store.transaction() as connection:
        highest = connection.scalar(select(func.max(runs.c.id))) or 0
        connection.execute(delete(runs).where(runs.c.id == highest))
    store.close()
    before = held_by(filled)
    assert all(sum_.rows for sum_ in before.values()), before
    back = f"sqlite:///{tmp_path}/back.db"
    for source, target in ((filled, postgres_url), (postgres_url, mariadb_url), (mariadb_url, back)):
        done = moved(source, target)
        assert held_by(target) == before
        assert (kinds(source), kinds(target)) == ([MarkKind.MOVED], [])
        assert done.rows == sum(sum_.rows for sum_ in before.values()) + 5  # leases: four, and acme's
    assert begin_run(back) == highest + 1


def test_in_the_copy_nobody_is_at_work(filled: str, tmp_path: Path) -> None:
    """Its leases are free, and count on where those of the former mirror stand."""
    target = f"sqlite:///{tmp_path}/new.db"
    moved(filled, target)
    store = Store(schema.prepare(target))
    with store.reading() as connection:
        rows = connection.execute(select(leases.c.corp, leases.c.owner, leases.c.token)).all()
    assert {row.owner for row in rows} == {None}
    here = lease.acquire(store, "acme", owner="test", ttl=timedelta(minutes=1))
    assert here.token == 2
    lease.release(store, here)
    store.close()


def test_the_former_mirror_refuses_whoever_opens_it(filled: str, tmp_path: Path) -> None:
    """And whoever had it open gets no lease: so nobody writes to WeCom by it."""
    store = Store(schema.prepare(filled))
    target = tmp_path / "new.db"
    moved(filled, f"sqlite:///{target}")
    with pytest.raises(MirrorError, match=f"is the mirror no more: it was copied to {target}") as caught:
        schema.prepare(filled)
    assert "name that one as mirror.url" in str(caught.value.hint)
    with pytest.raises(MirrorError, match="is the mirror no more"):
        lease.acquire(store, "acme", owner="test", ttl=timedelta(minutes=1))
    with pytest.raises(MirrorError, match="is the mirror no more"):
        moved(filled, f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(MirrorError, match="is the mirror no more"):
        moved(filled, f"sqlite:///{target}")
    store.close()


def test_nothing_is_written_over(filled: str, postgres_url: str) -> None:
    """A target that holds anything is refused, and the mirror goes on as if nothing had been said."""
    target = postgres_url
    schema.upgrade(target)
    begin_run(target)
    with pytest.raises(MirrorError, match="is not empty: it holds runs"):
        moved(filled, target)
    assert (kinds(filled), kinds(target)) == ([], [])


def test_the_mirror_is_no_copy_of_itself(filled: str) -> None:
    """Nor is a mirror made where there was none."""
    with pytest.raises(MirrorError, match="is the mirror itself"):
        moved(filled, filled)


def test_without_a_mirror_there_is_nothing_to_move(sqlite_url: str, tmp_path: Path) -> None:
    """A mistyped mirror.url makes no mirror, here or there."""
    with pytest.raises(MirrorError, match="there is no mirror at"):
        moved(sqlite_url, f"sqlite:///{tmp_path}/new.db")
    assert list(tmp_path.glob("*.db*")) == []


def test_not_while_a_run_is_at_work(filled: str, tmp_path: Path) -> None:
    """Who it is, is told, and nothing is begun."""
    store = Store(schema.prepare(filled))
    held = lease.acquire(store, "acme", owner="acme (manual)", ttl=timedelta(minutes=1))
    with pytest.raises(RunInProgressError, match=r"acme \(manual\)"):
        moved(filled, f"sqlite:///{tmp_path}/new.db")
    lease.release(store, held)
    store.close()
    assert kinds(filled) == []


class CutOff(Exception):
    """What ends an attempt."""


@pytest.fixture
def new_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet, beside the mirror's."""
    return f"sqlite:///{tmp_path}/new.db"


@pytest.mark.parametrize(
    ("kind", "when"),
    [
        ("new_url", 1),
        ("new_url", 150),
        pytest.param("postgres_url", 40, marks=pytest.mark.soak),
        pytest.param("mariadb_url", 100, marks=pytest.mark.soak),
    ],
)
def test_cut_off_anywhere_and_said_again(
    filled: str, kind: str, when: int, request: pytest.FixtureRequest
) -> None:
    """Half a copy is opened by nobody; the mirror is the mirror still; the next attempt begins anew."""
    target = request.getfixturevalue(kind)
    before = held_by(filled)

    def cut_off(done: int, total: int) -> None:
        if done >= when:
            raise CutOff

    with pytest.raises(CutOff):
        move(filled, target, ["acme"], AT, cut_off)
    with pytest.raises(MirrorError, match="that is not whole"):
        schema.prepare(target)
    assert kinds(filled) == []
    begin_run(filled)
    moved(filled, target)
    assert held_by(target)["runs"].rows == before["runs"].rows + 1
    assert kinds(target) == []


def test_cut_off_when_all_was_there(filled: str, tmp_path: Path) -> None:
    """Between the mark of the former mirror and the end neither is used; said again, the copy is."""
    target = f"sqlite:///{tmp_path}/new.db"
    moved(filled, target)
    store = Store(schema.prepare(target))
    with store.transaction() as connection:
        put_mark(connection, Mark(kind=MarkKind.COPYING, made_at=AT, place=schema.status(filled).place))
    store.close()
    for url in (filled, target):
        with pytest.raises(MirrorError):
            schema.prepare(url)
    moved(filled, target)
    assert (kinds(filled), kinds(target)) == ([MarkKind.MOVED], [])


def test_half_a_copy_of_another_mirror_is_not_gone_on_with(filled: str, tmp_path: Path) -> None:
    """It is not empty, whoever filled it."""
    target = f"sqlite:///{tmp_path}/new.db"
    store = Store(schema.prepare(target))
    with store.transaction() as connection:
        put_mark(connection, Mark(kind=MarkKind.COPYING, made_at=AT, place="elsewhere.db"))
    store.close()
    with pytest.raises(MirrorError, match="is not empty"):
        moved(filled, target)


def test_a_database_that_changes_what_it_is_given_is_seen(filled: str, tmp_path: Path) -> None:
    """The table is named, and the mirror stays the mirror."""
    target = f"sqlite:///{tmp_path}/new.db"
    store = Store(schema.prepare(target))
    with store.transaction() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER t AFTER INSERT ON claims BEGIN"
                " UPDATE claims SET value_hash = lower(value_hash) || 'x' WHERE rowid = new.rowid; END"
            )
        )
    store.close()
    with pytest.raises(MirrorError, match=r"is not what was read: claims \(4 rows, 4 were read\)"):
        moved(filled, target)
    assert (kinds(filled), kinds(target)) == ([], [MarkKind.COPYING])


def test_one_value_of_one_row_changes_the_sum(filled: str) -> None:
    """Of any table, in any column that is no key; and two rows that change places count as the same."""
    store = Store(schema.prepare(filled))
    with store.transaction() as connection:
        before = sums_of(connection)
        connection.execute(update(tag_links).values(tag_id=tag_links.c.tag_id + 1))
        after = sums_of(connection)
        rows = connection.execute(select(claims)).mappings().all()
        connection.execute(delete(claims))
        connection.execute(claims.insert(), [dict(row) for row in reversed(rows)])
        assert sums_of(connection) == after
    store.close()
    assert {name for name in before if before[name] != after[name]} == {"tag_links"}


def test_every_table_is_copied_but_the_marks() -> None:
    """A table that a later version adds is copied with the others."""
    assert {table.name for table in COPIED} == set(claims.metadata.tables) - {"mirror_marks"}


def test_marks_are_told_by_status(filled: str) -> None:
    """As they were put."""
    store = Store(schema.prepare(filled))
    mark = Mark(kind=MarkKind.RESTORED, made_at=AT, place="")
    with store.transaction() as connection:
        put_mark(connection, mark)
        assert marks(connection) == (mark,)
    store.close()
    assert schema.status(filled).marks == (mark,)
