"""Whoever is erased is named nowhere any more, and what is old goes by itself, but not what is needed."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from tests.journeys.open_mirror import let_go
from tests.journeys.stage import described
from tests.journeys.story import Story, email, mobile
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import made_fresh, preview
from wxsync.errors import GuardError, WxsyncError
from wxsync.mirror import audit, journal
from wxsync.mirror.audit_chain import verify
from wxsync.mirror.audit_text import GONE
from wxsync.mirror.documents import MARK
from wxsync.mirror.erasing import erase
from wxsync.mirror.people import Person, find_person
from wxsync.mirror.retention import LONG_GONE, Retention, tidy
from wxsync.mirror.schema import prepare
from wxsync.mirror.scrubbing import Scrubber
from wxsync.mirror.store import Store
from wxsync.mirror.tables import baselines, batch_jobs, member_links, metadata, runs
from wxsync.model.audit import Erased
from wxsync.model.batch_job import JobState
from wxsync.model.run import RunState

CORP = "acme"
NAMES = ("E3", "e3", "员工3", email(3))
"""Whatever is E3's alone; the number is somebody else's by then."""


def mirror_of(story: Story) -> Store:
    let_go()  # what is erased leaves the file when the last one closes it
    return Store(prepare(f"sqlite:///{story.mirror}"))


def everything(store: Store) -> str:
    """All texts of all tables, what is packed unpacked."""
    said: list[str] = []
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                said += [f"{table.name} {_unpacked(value)}" for value in row]
    return "\n".join(said)


def _unpacked(value: Any) -> str:
    if isinstance(value, bytes):
        return zlib.decompress(value).decode()
    if isinstance(value, str) and value.startswith(MARK):
        return zlib.decompress(b64decode(value.removeprefix(MARK))).decode()
    return str(value)


def lines_with(text: str, *names: str) -> list[str]:
    """The lines in which one of these stands as a word of its own."""
    listed = "|".join(map(re.escape, names))
    words = re.compile(rf"(?<![\w.@])(?:{listed})(?![\w.@])")
    return [line for line in text.splitlines() if words.search(line)]


def after_a_life(folder: Path, **settings: Any) -> Story:
    """E3 was hired, led somebody, took a number over, was in a tag, left, and was deleted."""
    story = Story(folder, policy={"leavers": "delete", **settings})
    story.people(6)
    rows = story.hr.employees
    rows["E2"].manager_no = "E3"
    story.tag("标签一", "E3", "E4")
    story.settle_beside_strangers()
    story.stage.later(days=1)
    story.swap("mobile", "E3", "E4")
    story.person("E7", manager_no="E3")
    story.settle_beside_strangers()
    story.stage.later(days=1)
    rows["E2"].manager_no = rows["E7"].manager_no = "E1"
    story.goes("E3")
    story.settle_beside_strangers()
    story.stage.later(days=1)
    story.settle_beside_strangers()
    return story


@pytest.mark.parametrize("method", ["single", "batch"])
def test_nothing_that_is_kept_names_somebody_who_was_erased(tmp_path: Path, method: str) -> None:
    """Key, userid, number and address are in no text of any table; all others are where they were."""
    story = after_a_life(tmp_path, method=method)
    store = mirror_of(story)
    assert lines_with(everything(store), *NAMES)
    others = lines_with(everything(store), "E4", "e4")
    with store.transaction() as connection:
        person = find_person(connection, CORP, "E3")
        assert person is not None
        erase(connection, person, story.stage.now)
        assert find_person(connection, CORP, "E3") is None
    assert lines_with(everything(store), *NAMES) == []
    assert len(lines_with(everything(store), "E4", "e4")) >= len(others) - 1
    with store.reading() as connection:
        assert verify(connection, CORP).flaw is None
        assert isinstance(audit.lines(connection, CORP, limit=1)[0].record, Erased)
    store.close()
    assert "员工3".encode() not in story.mirror.read_bytes()
    assert described(story.stage.plan().plan.writes) == []


def test_the_userid_of_somebody_who_was_erased_is_given_to_nobody(tmp_path: Path) -> None:
    """Somebody new who would get it is rejected by name of the rule; WeCom would mix their histories."""
    story = after_a_life(tmp_path)
    store = mirror_of(story)
    with store.transaction() as connection:
        person = find_person(connection, CORP, "e3")
        assert person is not None
        erase(connection, person, story.stage.now)
    store.close()
    story.configure(member={"userid": "'e3' if emp_no == 'E9' else (emp_no | lower)"})
    story.person("E9")
    run = story.apply()
    assert [(row.key, row.rule) for row in run.plan.rejected] == [("E9", "userid_reused")]
    assert "e3" not in story.wecom.members


def test_somebody_of_ours_is_not_erased(tmp_path: Path) -> None:
    """Not before they are gone; nothing is destroyed."""
    story = after_a_life(tmp_path)
    store = mirror_of(story)
    before = everything(store)
    with store.reading() as connection:
        person = find_person(connection, CORP, "E4")
    assert person is not None
    with store.transaction() as connection, pytest.raises(GuardError, match="a member of ours"):
        erase(connection, person, story.stage.now)
    assert everything(store) == before
    store.close()


def test_whoever_is_gone_for_long_is_forgotten_by_itself(tmp_path: Path) -> None:
    """After audit_days nothing is left of them but that their userid is taken; the trail is whole."""
    story = after_a_life(tmp_path)
    store = mirror_of(story)
    keep = Retention()
    later = story.stage.now + timedelta(days=keep.audit_days - 1)
    assert tidy(store, CORP, keep, later).people == 0
    later += timedelta(days=3)
    struck = tidy(store, CORP, keep, later)
    assert (struck.people, tidy(store, CORP, keep, later).people) == (1, 0)
    assert struck.lines > 0
    assert lines_with(everything(store), *NAMES) == []
    with store.reading() as connection:
        assert verify(connection, CORP).flaw is None
    assert str(LONG_GONE)
    store.close()


def test_old_runs_go_and_those_that_are_needed_stay(tmp_path: Path) -> None:
    """The newest applied one, the baseline's, one that is at work, and one with an open job."""
    story = after_a_life(tmp_path)
    store = mirror_of(story)
    with store.transaction() as connection:
        newest = connection.scalars(select(runs.c.id).where(runs.c.state == "applied")).all()[-1]
        baseline = connection.scalars(select(baselines.c.run_id)).all()[0]
        start = partial(
            journal.start_run,
            connection,
            sync="acme",
            corp=CORP,
            trigger="manual",
            started_at=story.stage.now,
        )
        alive, with_job = start(), start()
        journal.finish_run(connection, with_job, RunState.STOPPED, story.stage.now)
        job = {"run_id": with_job, "corp": CORP, "sync": "acme", "kind": "sync_members", "row_count": 0}
        open_ = {
            "state": JobState.RUNNING.value,
            "prepared_at": story.stage.now,
            "submissions": 1,
            "percentage": 0,
        }
        connection.execute(insert(batch_jobs).values({**job, **open_}))
        before = len(connection.execute(select(runs.c.id)).all())
    later = story.stage.now + timedelta(days=91)
    struck = tidy(store, CORP, Retention(), later)
    with store.reading() as connection:
        left = set(connection.scalars(select(runs.c.id)))
        kept = journal.run(connection, newest)
    assert left == {newest, baseline, alive, with_job}
    assert struck.runs == before - len(left)
    assert kept is not None
    assert kept.document is not None
    assert tidy(store, CORP, Retention(), later).runs == 0
    store.close()
    story.stage.later(days=91)
    assert described(story.stage.plan().plan.writes) == []


def test_old_runs_go_at_the_end_of_a_run(tmp_path: Path) -> None:
    """Nobody has to ask for it: a plan does it too, and the first load stays over."""
    story = after_a_life(tmp_path)
    first = story.stage.last_run()
    story.stage.later(days=100)
    story.stage.plan()
    store = mirror_of(story)
    with store.reading() as connection:
        left = set(connection.scalars(select(runs.c.id)))
    store.close()
    assert len(left) < first
    assert described(story.stage.plan().plan.writes) == []


CROSSED = "{'E1': 'e2', 'E2': 'e1'}.get(emp_no, emp_no | lower)"
"""Each one's key is the other's userid."""


def crossed(folder: Path, *leavers: str) -> Story:
    story = Story(folder, policy={"leavers": "delete"}, member={"userid": CROSSED})
    story.people(4)
    story.apply()
    story.stage.later(days=1)
    for key in leavers:
        story.goes(key)
    story.apply()
    story.stage.later(days=1)
    story.apply()
    return story


def test_where_a_key_is_anothers_userid_neither_is_taken_for_both(tmp_path: Path) -> None:
    """It has to be said which is meant: to the audit trail, to an erasure and to a repair."""
    story = crossed(tmp_path)
    store = mirror_of(story)
    with store.reading() as connection:
        with pytest.raises(WxsyncError, match="source key of somebody and the userid of somebody else"):
            find_person(connection, CORP, "E1")
        found = {who: find_person(connection, CORP, who) for who in ("key:E1", "userid:e2", "userid:E1")}
    store.close()
    one = Person(corp=CORP, keys=frozenset({("acme", "E1")}), userids=frozenset({"e2"}))
    other = Person(corp=CORP, keys=frozenset({("acme", "E2")}), userids=frozenset({"e1"}))
    assert found == {"key:E1": one, "userid:e2": one, "userid:E1": other}
    story.hr.employees["E1"].title = story.hr.employees["E2"].title = "主管"
    story.save()
    with pytest.raises(WxsyncError, match="source key of somebody and the userid of somebody else"):
        story.stage.repair("E1")
    assert [change.key for change in story.stage.repair("userid:e1").plan.writes] == ["E2"]

    async def looked_at_anew(corp: Corp) -> list[str | None]:
        run_id, decision = await preview(corp, trigger="manual", person="key:E1")
        story.stage.later(minutes=30)
        fresh = await made_fresh(corp, run_id, decision)
        return [change.key for change in fresh.plan.writes]

    assert story.stage.act(looked_at_anew) == ["E1"]


@pytest.mark.parametrize("leavers", [("E1",), ("E1", "E2")])
def test_of_two_with_crossed_names_one_alone_is_erased(tmp_path: Path, leavers: tuple[str, ...]) -> None:
    """Whatever is kept of the other one is there as before, be they gone or not."""
    story = crossed(tmp_path, *leavers)
    store = mirror_of(story)
    mine, others = (mobile(1), email(1), "员工1"), (mobile(2), email(2), "员工2")
    before = lines_with(everything(store), *others)
    with store.transaction() as connection:
        person = find_person(connection, CORP, "key:E1")
        assert person is not None
        erase(connection, person, story.stage.now)
    assert lines_with(everything(store), *mine) == []
    assert len(lines_with(everything(store), *others)) == len(before)
    with store.reading() as connection:
        kept = journal.run(connection, 1)
    assert kept is not None
    assert kept.document is not None
    created = [(each["key"], each["id"]) for each in json.loads(kept.document)["changes"] if each["id"]]
    assert created == [("E2", "e1"), ("E3", "e3"), ("E4", "e4")]
    store.close()


def test_a_key_of_several_syncs_is_nobodys_name(tmp_path: Path) -> None:
    """Keys of two syncs may be equal, and mean two people: the userid tells them apart."""
    story = crossed(tmp_path)
    store = mirror_of(story)
    with store.transaction() as connection:
        far = {"corp": CORP, "sync": "other", "key": "E3", "userid": "far", "userid_folded": "far"}
        mine = connection.execute(select(member_links).where(member_links.c.key == "E3")).mappings().one()
        connection.execute(insert(member_links).values({**mine, **far, "live_userid": "far"}))
        with pytest.raises(WxsyncError, match="several people go by this source key"):
            find_person(connection, CORP, "E3")
        alone = Person(corp=CORP, keys=frozenset({("other", "E3")}), userids=frozenset({"far"}))
        assert find_person(connection, CORP, "far") == alone
        assert find_person(connection, CORP, "key:E3", sync="other") == alone
    store.close()


@pytest.mark.parametrize(
    ("sync", "value", "left"),
    [
        ("acme", {"kind": "member", "key": "E1", "id": "e2"}, {"kind": "member"}),
        ("acme", {"kind": "member", "key": "E2", "id": "e1"}, None),
        ("other", {"kind": "member", "key": "E1", "id": "x"}, None),
        ("other", {"kind": "member", "key": "X", "id": "E2"}, {"kind": "member"}),
        ("acme", {"held": {"led": ["E1", "E2"]}}, {"held": {"led": ["E2"]}}),
        ("acme", {"foreign_members": ["e1", "e2"]}, {"foreign_members": ["e1"]}),
        ("acme", {"direct_leader": {"before": "E2", "after": "E1"}}, {"before": "E2", "after": GONE}),
    ],
)
def test_a_key_is_no_userid_and_belongs_to_its_sync(sync: str, value: Any, left: Any) -> None:
    """E1 of acme has the userid e2: what names E2, or another sync's E1, stays as it is."""
    person = Person(corp=CORP, keys=frozenset({("acme", "E1")}), userids=frozenset({"e2"}))
    scrubbed = Scrubber(person, sync).in_json(json.dumps(value))
    after = None if scrubbed is None else json.loads(scrubbed)
    assert (after.get("direct_leader", after) if after else after) == left
