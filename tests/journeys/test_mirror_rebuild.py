"""The mirror is lost and there is no backup: whom saved plans call ours is ours again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.safekeeping import lose, people_of, settle_approved, verbs
from tests.journeys.stage import failures
from tests.journeys.story import Story, mobile
from wxsync.engine.corp import Corp
from wxsync.engine.rebuild import Rebuild
from wxsync.engine.rebuilding import propose_rebuild, remember_rebuild
from wxsync.engine.reconcile import holding
from wxsync.errors import GuardError, WxsyncError
from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.plan import document_digest
from wxsync.model.run import Run
from wxsync.report.as_json import plan_document, run_document, to_json
from wxsync.report.from_json import read_saved_plan
from wxsync.sandbox.state import SandboxState


class Archive:
    """What `--format json --output FILE` wrote of each run."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.files: list[Path] = []

    def keep(self, run: Run) -> Run:
        return self._put(run_document(run), run)

    def keep_plan(self) -> None:
        self.story.save()
        plan = self.story.stage.plan().plan
        self._put(plan_document(plan), plan)

    def _put(self, document: dict[str, Any], given: Any) -> Any:
        self.files.append(self.story.folder / f"{len(self.files)}.json")
        self.files[-1].write_text(to_json(document), encoding="utf-8")
        return given

    def rebuild(self, files: Sequence[Path] | None = None, *, is_meant: bool = True) -> Rebuild:
        """`wxsync db rebuild --plan …`: not one write call."""
        self.story.save()
        saved = [read_saved_plan(file) for file in (self.files if files is None else files)]

        async def act(corp: Corp) -> Rebuild:
            async with holding(corp, "rebuild") as held:
                found = await propose_rebuild(corp, saved)
                if is_meant:
                    await remember_rebuild(corp, held, found)
                return found

        since = len(self.story.wecom.writes)
        found: Rebuild = self.story.stage.act(act)
        assert len(self.story.wecom.writes) == since
        return found


def left(found: Rebuild, kind: Kind = Kind.MEMBER) -> dict[str, str]:
    return {each.key: str(each.why) for each in found.left if each.kind is kind}


def redigested(text: str) -> str:
    """The same run, as whoever altered it with care would leave it."""
    run = json.loads(text)
    run["plan"]["digest"] = document_digest(run["plan"])
    return json.dumps(run)


def places(story: Story) -> dict[str, int]:
    """What the operator reads off the admin console."""
    return {"D1": story.unit("研发部").id, "D2": story.unit("市场部").id}


def relinked(found: Rebuild) -> set[str]:
    return {link.member.key for link in found.members}


def office(folder: Path, people: int = 30, *, shows_all: bool = False, **settings: Any) -> Archive:
    story = Story(folder, **settings)
    if shows_all:
        story.stage.state = SandboxState(job_seconds=0.02, legacy_ip=True)
    story.people(people, title="工程师")
    story.tag("标签", "E1", "E2")
    archive = Archive(story)
    archive.keep(story.settle())
    story.stage.later(days=1)
    return archive


def test_by_the_runs_that_made_them_everybody_is_ours_again(tmp_path: Path) -> None:
    """Of a fresh mirror the plan waits; after it nobody is doubled or removed, and nothing is left to do."""
    archive = office(tmp_path)
    story = archive.story
    story.person("E31", title="工程师")
    story.goes("E30")
    archive.keep(story.settle())
    before = people_of(story)
    lose(story)
    with pytest.raises(GuardError, match="first_load"):
        story.apply()

    lose(story)
    looked = archive.rebuild(is_meant=False)
    assert archive.rebuild() == looked
    assert relinked(looked) == {f"E{number}" for number in (*range(1, 30), 31)}
    assert left(looked) == {"E30": "the source has no such key any more"}
    assert looked.unnamed == {Kind.DEPARTMENT: 2, Kind.MEMBER: 0, Kind.TAG: 1}
    untold = "the plan that created it does not tell its id"
    assert left(looked, Kind.DEPARTMENT) == {"D1": untold, "D2": untold}

    # WeCom shows no names: which department is which, a plan of creations does not tell.
    story.configure(policy={"adopt_departments": places(story)})
    with pytest.raises(GuardError):
        story.apply()
    run = settle_approved(story)
    assert set(verbs(run).values()) == {Verb.UPDATE}
    assert people_of(story) == before
    assert {member.enable for member in story.wecom.members.values()} == {0, 1}, (
        "E30 left, and stays disabled"
    )


@pytest.mark.soak
def test_where_names_are_shown_departments_come_by_themselves(tmp_path: Path) -> None:
    """They are adopted by name and place."""
    archive = office(tmp_path, shows_all=True)
    story = archive.story
    lose(story)
    archive.rebuild()
    settle_approved(story)
    story.check()


def test_a_plan_lists_only_changes(tmp_path: Path) -> None:
    """By the last run alone those are relinked of whom it had something to say; the rest is for adoption."""
    archive = office(tmp_path, policy={"adopt": ["userid"]})
    story = archive.story
    story.hr.employees["E1"].title = "架构师"
    archive.keep(story.settle())
    lose(story)
    found = archive.rebuild(archive.files[-1:])
    assert relinked(found) == {"E1"}
    assert found.unnamed[Kind.MEMBER] == 29
    plan = story.stage.plan().plan
    assert sum(change.reason is Reason.UNADOPTED for change in plan.changes) == 29
    assert not [
        change
        for change in plan.writes
        if change.verb in (Verb.CREATE, Verb.DISABLE, Verb.DELETE) and change.kind is Kind.MEMBER
    ]


def test_what_was_only_meant_proves_nothing(tmp_path: Path) -> None:
    """A plan of creations without their outcomes, and a creation that failed, make nobody ours."""
    story = Story(tmp_path)
    story.people(3)
    archive = Archive(story)
    archive.keep_plan()
    story.wecom.add_member("e1", "别人", mobile=mobile(900))
    story.wecom.add_member("stranger", "别人", mobile=mobile(2))
    run = archive.keep(story.apply())
    assert len(failures(run)) == 1
    lose(story)
    assert relinked(archive.rebuild(archive.files[:1])) == set()
    lose(story)
    assert relinked(archive.rebuild()) == {"E3"}


@pytest.mark.soak
def test_the_last_word_counts(tmp_path: Path) -> None:
    """Whom a later run deleted is nobody's, in whatever order the files come: a hand may make another."""
    archive = office(tmp_path, people=6, policy={"leavers": "delete"})
    story = archive.story
    row = story.hr.employees["E1"]
    story.goes("E1")
    assert failures(archive.keep(story.apply())) == []
    story.hr.employees["E1"] = row
    story.wecom.add_member("e1", "别人", mobile=mobile(900))
    lose(story)
    found = archive.rebuild(archive.files[::-1])
    assert relinked(found) == {f"E{number}" for number in range(2, 7)}
    assert left(found) == {}


def test_what_speaks_against_it(tmp_path: Path) -> None:
    """Gone from WeCom, gone from the source, another person by name and number, protected: each is said."""
    archive = office(tmp_path, people=8, shows_all=True)
    story = archive.story
    story.goes("E1")
    story.wecom.remove_member("e2")
    for userid in ("e3", "e4"):
        member = story.wecom.members[userid]
        member.name, member.mobile, member.email = "别人", mobile(900 + len(member.name)), f"{userid}@x.test"
    story.member("E4").name = "员工4"
    story.hr.employees["E5"].emp_no = "E55"
    story.hr.employees["E55"] = story.hr.employees.pop("E5")
    story.configure(
        policy={"protect": ["e6"]}, member={"userid": "'e5' if emp_no == 'E55' else emp_no | lower"}
    )
    lose(story)
    found = archive.rebuild()
    assert relinked(found) == {"E4", "E7", "E8"}
    assert left(found) == {
        "E1": "the source has no such key any more",
        "E2": "WeCom has nobody with the userid e2",
        "E3": "WeCom has somebody else there: name, mobile, email differ",
        "E5": "the source has no such key any more",
        "E6": "its userid is protected by policy.protect",
    }


@pytest.mark.soak
def test_whoever_left_since_leaves_by_the_next_plan(tmp_path: Path) -> None:
    """A row that says so is a key of the source: the plan disables them, once somebody has looked."""
    archive = office(tmp_path, people=6)
    story = archive.story
    story.hr.employees["E1"].status = "left"
    lose(story)
    assert "E1" in relinked(archive.rebuild())
    story.configure(policy={"adopt_departments": places(story)})
    assert verbs(settle_approved(story))["E1"] is Verb.DISABLE


def test_a_mirror_that_knows_the_sync_is_refused(tmp_path: Path) -> None:
    """Nothing is lost there; and a plan of another sync or corp says nothing of this one."""
    archive = office(tmp_path, people=3)
    story = archive.story
    with pytest.raises(GuardError, match="this mirror knows sync acme already"):
        archive.rebuild()
    lose(story)
    text = archive.files[0].read_text(encoding="utf-8")
    for before, after in (
        ('"sync": "acme"', '"sync": "other"'),
        ("ww5a6d626f78000001", "ww5a6d626f78000002"),
    ):
        archive.files[0].write_text(redigested(text.replace(before, after)), encoding="utf-8")
        with pytest.raises(GuardError, match="is of sync"):
            archive.rebuild()
    archive.files[0].write_text(text, encoding="utf-8")
    assert len(archive.rebuild().members) == 3
    with pytest.raises(GuardError, match="knows sync acme already"):
        archive.rebuild()


def altered(archive: Archive, id: str) -> None:
    """The newest file says that E2 is `id`."""
    run = json.loads(archive.files[-1].read_text(encoding="utf-8"))
    for change in run["plan"]["changes"]:
        if (change["kind"], change["key"]) == ("member", "E2"):
            change["id"] = id
    archive.files[-1].write_text(json.dumps(run), encoding="utf-8")


OTHER = (
    "the source gives it the userid e2, the plan another one, and no number or address"
    " that WeCom shows agrees"
)


def test_a_plan_that_was_altered_makes_no_stranger_ours(tmp_path: Path) -> None:
    """The digest tells it; and where that was altered too, the source, which calls E2 somebody else."""
    archive = office(tmp_path, people=4)
    story = archive.story
    story.wecom.add_member("boss", "老板", mobile=mobile(900))
    lose(story)
    altered(archive, "boss")
    with pytest.raises(WxsyncError, match="do not give its digest"):
        archive.rebuild()
    archive.files[0].write_text(redigested(archive.files[0].read_text(encoding="utf-8")), encoding="utf-8")
    found = archive.rebuild(is_meant=False)
    assert relinked(found) == {"E1", "E3", "E4"}
    assert left(found) == {"E2": OTHER}


def test_a_line_that_no_digest_covers_makes_no_stranger_ours(tmp_path: Path) -> None:
    """What is kept is not among what a plan would do."""
    archive = office(tmp_path, people=4)
    story = archive.story
    story.wecom.add_member("boss", "老板", mobile=mobile(900))
    lose(story)
    plan = json.loads(archive.files[0].read_text(encoding="utf-8"))["plan"]
    kept = {"n": 1, "kind": "member", "verb": "keep", "key": "E2", "id": "boss", "name": "员工2"}
    later = {**plan, "created_at": "2030-01-01T00:00:00Z"}
    later["changes"] = [{**kept, "fields": {}, "why": "", "reason": "grace"}]
    archive.files.append(tmp_path / "later.json")
    archive.files[1].write_text(
        json.dumps({**later, "digest": document_digest(later)}, ensure_ascii=False), encoding="utf-8"
    )
    found = archive.rebuild(is_meant=False)
    assert relinked(found) == {"E1", "E3", "E4"}
    assert left(found) == {"E2": OTHER}


def test_where_userids_are_made_from_names_the_digest_vouches_for_them(tmp_path: Path) -> None:
    """A namesake's differs from the name's, and whoever was given another name keeps the one of before."""
    made = "'qianer' if full_name == '钱二' else (emp_no | lower | pinyin)"
    archive = office(tmp_path, people=4, member={"userid": made})
    story = archive.story
    story.hr.employees["E2"].full_name = "钱二"
    lose(story)
    assert "E2" in relinked(archive.rebuild(is_meant=False))


def test_under_another_userid_somebody_is_taken_by_the_number_that_wecom_shows(tmp_path: Path) -> None:
    """Adopted by it, or renamed since: the number is theirs alone. A name is not."""
    archive = office(tmp_path, people=4, shows_all=True)
    story = archive.story
    altered(archive, "wang.er")
    archive.files[0].write_text(redigested(archive.files[0].read_text(encoding="utf-8")), encoding="utf-8")
    theirs = story.wecom.members["e2"]
    shown = (theirs.mobile, theirs.email)
    story.wecom.remove_member("e2")
    lose(story)
    story.wecom.add_member("wang.er", "员工2", mobile=mobile(901))
    assert "E2" not in relinked(archive.rebuild(is_meant=False))
    story.wecom.members["wang.er"].mobile = shown[0]
    assert "E2" in relinked(archive.rebuild(is_meant=False))


def test_of_a_leaver_who_is_kept_an_earlier_plan_has_to_tell_the_userid(tmp_path: Path) -> None:
    """The source tells no userid of a leaver, and the digest of a plan covers nobody who is kept."""
    archive = office(tmp_path, people=4, policy={"delete_after_days": 30})
    story = archive.story
    story.hr.employees["E2"].status = "left"
    archive.keep(story.settle())
    story.stage.later(days=1)
    archive.keep_plan()
    assert "E2" in {each.key for each in read_saved_plan(archive.files[-1]).named}
    lose(story)
    assert "E2" in relinked(archive.rebuild(is_meant=False))
    found = archive.rebuild(archive.files[-1:], is_meant=False)
    assert left(found)["E2"] == "only a line that the plan's digest does not cover says which userid it has"
