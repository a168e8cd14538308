"""The audit trail: no line and no value of it can be changed unseen, and people can be erased from it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Executable, Integer, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from wxsync.errors import GuardError, MirrorError
from wxsync.mirror import audit, journal, links
from wxsync.mirror.audit_chain import prune, verify
from wxsync.mirror.erasing import erase
from wxsync.mirror.people import Person, find_person
from wxsync.mirror.store import Store
from wxsync.mirror.tables import audit_heads, audit_lines, audit_shares, retired_userids, runs
from wxsync.model.audit import AuditEntry, AuditLine, AuditRecord, Begun, Deed, Erased, Lifted, Pruned
from wxsync.model.change import FieldChange, Kind, Verb
from wxsync.model.member import Member
from wxsync.model.message import say
from wxsync.model.remembered import LinkState, RememberedMember
from wxsync.model.run import OutcomeState, RunState
from wxsync.model.unknown import UNKNOWN

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
CORP, SYNC = "acme", "main"
LINES = 9


def of_member(number: int, **facts: Any) -> Deed:
    """An update of one person, whose direct leader becomes E1."""
    given: dict[str, Any] = {
        "kind": Kind.MEMBER,
        "verb": Verb.UPDATE,
        "call": "user/update",
        "n": number,
        "step": 1,
        "state": OutcomeState.DONE,
        "key": f"E{number}",
        "id": f"User{number}",
        "name": f"员工{number}",
        "fields": {
            "mobile": FieldChange(UNKNOWN, f"1390000{number:04}"),
            "departments": FieldChange(("D1",), ("D1", "D2")),
            "direct_leader": FieldChange(None, "E1"),
            "enable": FieldChange(True, False),
        },
        "why": say("{fields} differs from the source", fields="mobile"),
    }
    return Deed(**{**given, **facts})


DEPARTMENT = Deed(
    kind=Kind.DEPARTMENT,
    verb=Verb.CREATE,
    call="department/create",
    n=7,
    step=1,
    state=OutcomeState.FAILED,
    errcode=60008,
    key="D9",
    id=19,
    name="客服部",
    fields={"name": FieldChange(None, "客服部"), "parent": FieldChange(None, "D1")},
    why=say("it is in the source and not yet in WeCom"),
    hint=say(
        "a department of this name is there already, or one with this id: {owner}, says WeCom", owner="12"
    ),
)
TAG = Deed(
    kind=Kind.TAG,
    verb=Verb.UPDATE,
    call="tag/addtagusers",
    n=8,
    step=1,
    state=OutcomeState.DONE,
    key="干部",
    id=3,
    name="干部",
    joined=("user2", "user3"),
    left=("user1",),
    why=say("{fields} differs from the source", fields="members"),
)
TAKEN = of_member(
    4,
    state=OutcomeState.FAILED,
    errcode=60104,
    hint=say("the member {owner} has this phone number, says WeCom: correct one of the two", owner="user3"),
    why=say("its {field} is taken by {key}", field="mobile", key="E5"),
    is_temporary=True,
    is_settled=True,
)
RUN = Begun(
    verb="apply",
    trigger="manual",
    digest="sha256:" + "ab" * 32,
    sources=("hr", "ad"),
    approved_by="li",
    lifted=(Lifted(name="member_update", detail=None, count=60, allowed=50),),
)
RECORDS: tuple[AuditRecord, ...] = (
    RUN,
    of_member(1),
    of_member(2),
    of_member(3, call=None, n=None, step=None),
    TAKEN,
    DEPARTMENT,
    TAG,
    of_member(5, verb=Verb.DELETE, fields={}),
    of_member(2, verb=Verb.DISABLE),
)


def put(store: Store, *records: AuditRecord, at: datetime = NOON, run_id: int | None = 5) -> None:
    with store.transaction() as connection:
        entries = [AuditEntry(sync=SYNC, run_id=run_id, record=record) for record in records]
        audit.append(connection, CORP, entries, at)


def read(store: Store, person: str | None = None, run_id: int | None = None) -> list[AuditLine]:
    """The lines, the oldest first."""
    with store.reading() as connection:
        who = None
        if person is not None and (who := find_person(connection, CORP, person)) is None:
            return []
        return list(reversed(audit.lines(connection, CORP, person=who, run_id=run_id, limit=10_000)))


def flaw_of(store: Store) -> tuple[int, str] | None:
    with store.reading() as connection:
        found = verify(connection, CORP)
    return None if found.flaw is None else (found.flaw.seq, str(found.flaw.problem))


def person_of(store: Store, who: str) -> Person:
    with store.reading() as connection:
        person = find_person(connection, CORP, who)
    assert person is not None
    return person


def wipe(store: Store, who: str, at: datetime = NOON) -> int:
    with store.transaction() as connection:
        return erase(connection, person_of(store, who), at).values


@pytest.fixture
def filled(store: Store) -> Store:
    put(store, *RECORDS[:4])
    put(store, *RECORDS[4:])
    return store


def test_what_is_put_in_is_what_is_read(filled: Store) -> None:
    """Every fact of every kind of record comes back, in order, with its moment and its run."""
    lines = read(filled)
    assert [line.record for line in lines] == [*RECORDS]
    assert [line.seq for line in lines] == [*range(1, LINES + 1)]
    assert {(line.at, line.run_id, line.sync) for line in lines} == {(NOON, 5, SYNC)}
    assert flaw_of(filled) is None


def test_no_person_is_named_in_the_public_part(filled: Store) -> None:
    """Not by key, userid, name or number; what is public are kinds, calls, departments and tags."""
    with filled.reading() as connection:
        documents = "".join(connection.scalars(select(audit_lines.c.document)))
    for text in ("E1", "E4", "User", "user2", "员工", "1390000"):
        assert text not in documents
    assert "客服部" in documents
    assert "department/create" in documents


def test_somebody_is_found_by_whatever_names_them(filled: Store) -> None:
    """As the record itself, as a leader, in a tag, as the owner of a number; by key or by userid."""
    assert [line.seq for line in read(filled, "E2")] == [3, 7, 9]
    assert [line.seq for line in read(filled, "USER2")] == [3, 7, 9]
    assert [line.seq for line in read(filled, "E3")] == [4, 5, 7]
    assert [line.seq for line in read(filled, "E1")] == [2, 3, 4, 5, 7, 9]
    assert [line.seq for line in read(filled, "E5")] == [5, 8]
    assert read(filled, "E77") == []
    assert [line.seq for line in read(filled, "E2", run_id=5)] == [3, 7, 9]
    assert read(filled, "E2", run_id=6) == []


def test_somebody_with_a_new_key_is_found_by_both(filled: Store) -> None:
    """After a rekey the userid still tells; so does it for lines that name the userid alone."""
    member = Member(key="N2", userid="User2")
    with filled.transaction() as connection:
        links.put_member(connection, CORP, SYNC, RememberedMember(state=LinkState.OURS, member=member))
    assert [line.seq for line in read(filled, "N2")] == [3, 7, 9]
    assert read(filled, "E2") == read(filled, "N2")


def test_a_key_of_another_sync_is_somebody_else(store: Store) -> None:
    """Two syncs of one corp may both have an E1; their userids tell them apart."""
    put(store, of_member(1, fields={}))
    with store.transaction() as connection:
        entry = AuditEntry(sync="other", run_id=6, record=of_member(1, id="stranger", fields={}))
        audit.append(connection, CORP, [entry], NOON)
        assert find_person(connection, CORP, "User1") == Person(
            corp=CORP, keys=frozenset({(SYNC, "E1")}), userids=frozenset({"user1"})
        )


# Nothing is changed unseen


def texts(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def altered(value: object, column: Column[Any]) -> object:
    """Another value of the same kind."""
    if value is None:
        return 77 if isinstance(column.type, Integer) else "x"
    if isinstance(value, int):
        return value + 1000
    text = str(value)
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize("table", [audit_lines, audit_shares], ids=lambda table: table.name)
def test_every_altered_cell_is_noticed(filled: Store, table: Table) -> None:
    """Each column of each row, one at a time: the first line that is not what was written is named."""
    with filled.reading() as connection:
        rows = texts(connection, table)
    keys = [column.name for column in table.primary_key]
    tried = 0
    for row in rows:
        for column in table.columns:
            this = [table.c[name] == row[name] for name in keys]
            value = altered(row[column.name], column)
            found = changed_to(filled, update(table).where(*this).values({column.name: value}))
            assert found is not None, (column.name, row["seq"])
            assert found[0] <= max(int(str(row["seq"])), 1) or column.name == "seq"
            tried += 1
    assert tried == len(rows) * len(table.columns)


class Undone(Exception):
    pass


def changed_to(store: Store, *statements: Executable) -> tuple[int, str] | None:
    """The flaw that these would bring about; nothing of it stays."""
    with store.engine.connect() as connection:
        for statement in statements:
            connection.execute(statement)
        seen = verify(connection, CORP)
        connection.rollback()
    assert flaw_of(store) is None
    return None if seen.flaw is None else (seen.flaw.seq, str(seen.flaw.problem))


def test_every_removed_line_is_noticed(filled: Store) -> None:
    """The last one too: the head tells of it."""
    for seq in range(1, LINES + 1):
        gone = (delete(table).where(table.c.seq == seq) for table in (audit_lines, audit_shares))
        found = changed_to(filled, *gone)
        assert found is not None
        assert found[0] == seq


def test_a_removed_value_is_noticed(filled: Store) -> None:
    """Gone without a line that says so, whichever it is."""
    with filled.reading() as connection:
        rows = texts(connection, audit_shares)
    for row in rows:
        this = [audit_shares.c[name] == row[name] for name in ("corp", "seq", "place")]
        found = changed_to(filled, delete(audit_shares).where(*this))
        assert found == (row["seq"], "values of a person in it are gone, and no line says why")


def test_swapped_and_inserted_lines_are_noticed(filled: Store) -> None:
    """Neighbours that change places, a line put in between, one more at the end, and one more value."""
    c = audit_lines.c
    with filled.reading() as connection:
        rows = {row["seq"]: row for row in texts(connection, audit_lines)}
    swapped = [
        update(audit_lines).where(c.seq == seq).values(document=other["document"], hash=other["hash"])
        for seq, other in ((3, rows[4]), (4, rows[3]))
    ]
    assert changed_to(filled, *swapped) == (3, "it is not what was written: its hash does not fit")
    moved = [update(audit_lines).where(c.seq == seq).values(seq=seq + 1) for seq in range(LINES, 3, -1)]
    put_in = insert(audit_lines).values({**rows[3], "seq": 4})
    found = changed_to(filled, *moved, put_in)
    assert found is not None
    assert found[0] == 4
    found = changed_to(filled, insert(audit_lines).values({**rows[LINES], "seq": LINES + 1}))
    assert found is not None
    assert found[0] == LINES + 1
    share = {"corp": CORP, "seq": 1, "place": 0, "sync": SYNC, "key": "E1", "salt": "0", "content": "{}"}
    assert changed_to(filled, insert(audit_shares).values(share)) == (
        1,
        "it has values that were not written with it",
    )
    stray = insert(audit_shares).values({**share, "seq": 50})
    assert changed_to(filled, stray) == (50, "there are values of a line that is not there")


@pytest.mark.parametrize("column", ["corp", "seq", "hash", "pruned_seq", "pruned_hash"])
def test_an_altered_head_is_noticed(filled: Store, column: str) -> None:
    """Also one that says that lines were struck."""
    with filled.reading() as connection:
        [head] = texts(connection, audit_heads)
    value = altered(head[column], audit_heads.c[column])
    assert changed_to(filled, update(audit_heads).values({column: value})) is not None


def test_a_trail_that_was_cut_short_with_its_head_has_lost_where_a_run_ended(filled: Store) -> None:
    """Each run notes the end; who cuts the trail has to alter every run as well."""
    with filled.transaction() as connection:
        run_id = journal.start_run(connection, sync=SYNC, corp=CORP, trigger="manual", started_at=NOON)
        journal.finish_run(connection, run_id, RunState.APPLIED, NOON)
        row = connection.execute(select(runs.c.audit_seq, runs.c.audit_hash)).one()
        assert tuple(row) == (LINES, read(filled)[-1].hash)
    before = read(filled)[-2]
    gone = [
        delete(audit_lines).where(audit_lines.c.seq == LINES),
        delete(audit_shares).where(audit_shares.c.seq == LINES),
        update(audit_heads).values(seq=before.seq, hash=before.hash),
    ]
    assert changed_to(filled, *gone) == (LINES, f"run {run_id} ended with another line {LINES}")
    assert changed_to(filled, *gone, update(runs).values(audit_seq=None)) is None, "what no mirror can notice"


@pytest.mark.parametrize("left", [None, audit_heads, audit_lines, audit_shares], ids=str)
def test_a_trail_that_was_taken_away_is_missed(filled: Store, left: Table | None) -> None:
    """By whatever is left of it, and by the runs that noted where it ended."""
    with filled.transaction() as connection:
        run_id = journal.start_run(connection, sync=SYNC, corp=CORP, trigger="manual", started_at=NOON)
        journal.finish_run(connection, run_id, RunState.APPLIED, NOON)
        for table in (audit_heads, audit_lines, audit_shares):
            if table is not left:
                connection.execute(delete(table))
    with filled.reading() as connection:
        assert audit.corps(connection) == (CORP,)
        assert verify(connection, CORP).flaw is not None


def test_a_head_that_was_noted_outside_tells_a_trail_that_was_written_anew(filled: Store) -> None:
    """Whoever may write everything can write a whole new trail; the old head is not in it."""
    noted = read(filled)[-1].hash
    put(filled, of_member(6))
    with filled.reading() as connection:
        assert verify(connection, CORP, noted).has_given_head is True
        assert verify(connection, CORP).has_given_head is None
    with filled.transaction() as connection:
        for table in (audit_lines, audit_shares, audit_heads):
            connection.execute(delete(table))
    put(filled, *RECORDS[:8], of_member(6))
    with filled.reading() as connection:
        found = verify(connection, CORP, noted)
    assert (found.flaw, found.has_given_head) == (None, False)


def test_the_chain_cannot_fork(store: Store) -> None:
    """Of two that write at once one waits for the other; two lines with one number are refused."""
    put(store, RUN)
    threads = [threading.Thread(target=put, args=(store, of_member(number))) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert flaw_of(store) is None
    assert len(read(store)) == 9
    row = {"corp": CORP, "seq": 3, "document": "{}", "hash": "0" * 64}
    with pytest.raises((IntegrityError, MirrorError)), store.transaction() as connection:
        connection.execute(insert(audit_lines).values(row))


def test_a_line_is_not_there_where_its_transaction_was_not_kept(filled: Store) -> None:
    """It goes with what it tells."""

    def fails(connection: Connection) -> None:
        audit.append(connection, CORP, [AuditEntry(sync=SYNC, run_id=5, record=RUN)], NOON)
        raise Undone

    with pytest.raises(Undone), filled.transaction() as connection:
        fails(connection)
    assert len(read(filled)) == LINES
    assert flaw_of(filled) is None


# People are erased


def test_after_an_erasure_nobody_is_found_and_the_trail_is_whole(filled: Store) -> None:
    """Values and salts are gone wherever they stood; a line says that something was erased, and not whose."""
    assert wipe(filled, "E2") == 3
    assert read(filled, "E2") == []
    assert read(filled, "User2") == []
    lines = read(filled)
    assert flaw_of(filled) is None
    assert isinstance(lines[-1].record, Erased)
    assert [seq for seq, _ in lines[-1].record.values] == [3, 7, 9]
    update_, tag = lines[2].record, lines[6].record
    assert isinstance(update_, Deed)
    assert isinstance(tag, Deed)
    assert (update_.key, update_.id, update_.name, update_.fields, update_.erased) == (
        None,
        None,
        None,
        {},
        1,
    )
    assert str(update_.why) == "*** differs from the source"
    assert (tag.joined, tag.left, tag.erased) == (("user3",), ("user1",), 1)
    with filled.reading() as connection:
        kept = "".join(str(row) for table in (audit_lines, audit_shares) for row in texts(connection, table))
    for text in ("E2", "ser2", "员工2", "13900000002"):
        assert text not in kept


def test_the_leader_of_others_is_erased_from_their_lines(filled: Store) -> None:
    """Theirs stay, without that value."""
    wipe(filled, "E1")
    line = read(filled, "E3")[0].record
    assert isinstance(line, Deed)
    assert line.fields["direct_leader"] == FieldChange(None, "***")
    assert line.fields["mobile"] == FieldChange(UNKNOWN, "13900000003")
    assert flaw_of(filled) is None


def test_erased_twice_is_erased_once(filled: Store) -> None:
    """Somebody else is erased in peace, and every flaw is still noticed."""
    wipe(filled, "E2")
    wipe(filled, "E3")
    assert flaw_of(filled) is None
    with filled.reading() as connection:
        assert find_person(connection, CORP, "E2") is None
        rows = texts(connection, audit_shares)
        assert verify(connection, CORP).erased == 6
    for row in rows:
        this = [audit_shares.c[name] == row[name] for name in ("corp", "seq", "place")]
        assert changed_to(filled, delete(audit_shares).where(*this)) is not None


def test_a_value_that_comes_back_after_its_erasure_is_noticed(filled: Store) -> None:
    """What was said to be destroyed is there: somebody kept it."""
    with filled.reading() as connection:
        rows = [row for row in texts(connection, audit_shares) if row["seq"] == 9 and row["place"] == 0]
    wipe(filled, "E2")
    found = changed_to(filled, insert(audit_shares).values(rows))
    assert found == (LINES + 1, f"it says that values of line {LINES} were erased, and they are there")


def remember(store: Store, number: int, state: LinkState, gone_at: datetime | None = None) -> None:
    member = Member(key=f"E{number}", userid=f"User{number}", mobile=f"1390000{number:04}")
    link = RememberedMember(state=state, member=member, gone_at=gone_at)
    with store.transaction() as connection:
        links.put_member(connection, CORP, SYNC, link)


def test_whoever_is_ours_still_is_not_erased(filled: Store) -> None:
    """The next run needs what is known of them."""
    remember(filled, 2, LinkState.OURS)
    with pytest.raises(GuardError, match="a member of ours"):
        wipe(filled, "E2")
    assert len(read(filled, "E2")) == 3


def test_the_userid_of_somebody_who_was_erased_stays_taken(filled: Store) -> None:
    """As a hash, which names nobody."""
    remember(filled, 2, LinkState.GONE, NOON)
    wipe(filled, "E2")
    with filled.reading() as connection:
        known = links.load(connection, CORP, SYNC)
        [taken] = texts(connection, retired_userids)
    assert (known.members, known.retired_userids) == ({}, {})
    assert known.erased_userids == {taken["userid_folded"]}
    assert str(taken["userid_folded"]).startswith("~")
    assert taken["key"] == ""


# Old lines go


def aged(store: Store) -> None:
    """Lines of three years, one a day from the first of January 2026 on."""
    for day in range(30):
        put(store, of_member(day % 4 + 1), at=NOON + timedelta(days=day))


def struck(store: Store, days: int, most: int = 1000) -> int:
    with store.transaction() as connection:
        now = NOON + timedelta(days=30)
        return prune(connection, CORP, NOON + timedelta(days=days), now, most)


def test_old_lines_are_struck_from_the_front(store: Store) -> None:
    """What is left is whole, bound to what was before; a line says up to where it went."""
    aged(store)
    hash_of_tenth = read(store)[9].hash
    assert struck(store, 10) == 10
    lines = read(store)
    assert [line.seq for line in lines] == [*range(11, 32)]
    assert lines[-1].record == Pruned(until=10, hash=hash_of_tenth)
    assert flaw_of(store) is None
    assert struck(store, 10) == 0
    assert struck(store, 20) == 10
    assert flaw_of(store) is None
    with store.reading() as connection:
        found = verify(connection, CORP, hash_of_tenth)
    assert (found.first, found.lines, found.has_given_head) == (21, 12, False)


def test_no_more_are_struck_at_once_than_was_asked(store: Store) -> None:
    """The rest goes the next time."""
    aged(store)
    assert struck(store, 20, most=5) == 5
    assert read(store)[0].seq == 6
    assert flaw_of(store) is None


def test_more_lines_than_are_read_at_a_time_are_struck_at_once(sqlite_store: Store) -> None:
    """Those of a day with many changes; up to the one that was asked for, and not the next."""
    for _ in range(5):
        put(sqlite_store, *[of_member(number % 9 + 1) for number in range(500)])
    assert struck(sqlite_store, 20, most=2100) == 2100
    assert read(sqlite_store)[0].seq == 2101
    assert flaw_of(sqlite_store) is None


def test_lines_are_struck_once_a_day_at_most(store: Store) -> None:
    """Each time leaves a line: nothing is struck for the sake of a few hours."""
    aged(store)
    assert struck(store, 1) == 0
    assert struck(store, 2) == 2


def front_gone(table_rows: int) -> list[Executable]:
    """As somebody would do it by hand who knows how it is kept."""
    return [
        delete(audit_lines).where(audit_lines.c.seq <= table_rows),
        delete(audit_shares).where(audit_shares.c.seq <= table_rows),
    ]


def test_a_front_that_was_struck_by_hand_is_noticed(store: Store) -> None:
    """Also where the head was made to fit: no line says that it went for its age."""
    aged(store)
    struck(store, 10)
    fifteenth = next(line for line in read(store) if line.seq == 15)
    fits = update(audit_heads).values(pruned_seq=15, pruned_hash=fifteenth.hash)
    assert changed_to(store, *front_gone(15), fits) == (
        16,
        "lines before it are gone, and no line says that they were struck for their age",
    )
    assert changed_to(store, *front_gone(15)) == (11, "a line is missing: 16 follows 10")


def test_erasures_and_old_lines_agree(store: Store) -> None:
    """Erased before, between and after: the trail is whole every time."""
    aged(store)
    wipe(store, "E2", NOON + timedelta(days=30))
    struck(store, 12)
    assert flaw_of(store) is None
    wipe(store, "E3", NOON + timedelta(days=31))
    assert flaw_of(store) is None
    struck(store, 25)
    assert flaw_of(store) is None
    with store.transaction() as connection:
        prune(connection, CORP, NOON + timedelta(days=90), NOON + timedelta(days=90), 1000)
    assert flaw_of(store) is None
    assert [type(line.record) for line in read(store)] == [Pruned]


def test_a_trail_may_be_long(sqlite_store: Store) -> None:
    """More lines than are read at a time are walked through to the last."""
    for _ in range(7):
        put(sqlite_store, *[of_member(number % 9 + 1) for number in range(500)])
    with sqlite_store.reading() as connection:
        found = verify(connection, CORP)
    assert (found.lines, found.flaw) == (3500, None)
