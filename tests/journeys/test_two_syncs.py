"""Two syncs into one corp, each from a database of its own and under a department of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.journeys.crash import die_at
from tests.journeys.stage import described, failures
from tests.journeys.story import Story, email, mobile
from tests.journeys.torn import torn
from wxsync.config.settings import Settings
from wxsync.engine.reconcile import LEASE_TTL
from wxsync.errors import ConfigError, RunInProgressError
from wxsync.mirror import lease
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.model.change import Kind, Reason, Rejected, Verb
from wxsync.sandbox.state import SandboxState

HEAD, BRANCH = 50, 60


def both(head: Settings, branch: Settings) -> Settings:
    """One config with the sync of each: of the branch, the source and the sync are called so."""
    sync = branch.sync["acme"].model_copy(update={"sources": ("branch",), "root_department": BRANCH})
    return head.model_copy(
        update={
            "source": {"hr": head.source["hr"], "branch": branch.source["hr"]},
            "sync": {
                "acme": head.sync["acme"].model_copy(update={"root_department": HEAD}),
                "branch": sync,
            },
        }
    )


@pytest.fixture
def stories(tmp_path: Path) -> tuple[Story, Story]:
    """Thirty people each, more than a first load takes for strangers; the same corp, mirror and config."""
    (tmp_path / "branch").mkdir()
    head, branch = Story(tmp_path), Story(tmp_path / "branch")
    wecom = SandboxState()
    wecom.add_department("总部", id=HEAD)
    wecom.add_department("分公司", id=BRANCH)
    head.stage.settings = branch.stage.settings = both(head.stage.settings, branch.stage.settings)
    head.stage.state = branch.stage.state = wecom
    branch.stage.sync = "branch"
    for number in range(30):
        head.person(f"E{number + 1}")
        branch.person(f"E{number + 101}")
    head.save()
    branch.save()
    return head, branch


def people_of(*stories: Story) -> dict[str, object]:
    """Everything that WeCom holds of those whom these databases name."""
    members = stories[0].wecom.members
    userids = [emp_no.lower() for story in stories for emp_no in story.hr.employees]
    return {userid: deepcopy(asdict(members[userid])) for userid in userids}


def rejects(story: Story) -> list[tuple[str | None, str | None, str, str]]:
    rows: tuple[Rejected, ...] = story.stage.plan().plan.rejected
    return [(row.key, row.field, row.rule, str(row.problem)) for row in rows]


def claims(mirror: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(mirror)) as connection:
        return connection.execute("SELECT sync, field, value_hash FROM claims").fetchall()


def test_both_load_and_neither_touches_the_other(stories: tuple[Story, Story]) -> None:
    """The other's people are no strangers in a first load, and stay as they are in whatever comes later."""
    head, branch = stories
    wecom = head.wecom
    for story in stories:
        assert failures(story.apply()) == []
    assert len(wecom.members) == 60
    for story in stories:
        assert described(story.stage.plan().plan.writes) == []
    assert {each.parentid for each in wecom.departments.values() if each.name == "研发部"} == {HEAD, BRANCH}

    before = people_of(branch)
    assert len(before) == 30
    head.person("E31")
    head.hr.employees["E2"].full_name = "改名"
    head.goes("E3")
    assert failures(head.apply()) == []
    assert people_of(branch) == before
    assert described(branch.stage.plan().plan.writes) == []
    assert described(head.stage.plan().plan.writes) == []


@pytest.mark.parametrize(("field", "value"), [("mobile", mobile(1)), ("email", email(1))])
def test_what_both_claim_is_neithers(stories: tuple[Story, Story], field: str, value: str) -> None:
    """It is rejected in both, naming both, run for run; what WeCom holds of either person stays."""
    head, branch = stories
    for story in stories:
        assert failures(story.apply()) == []
    before = people_of(head, branch)
    setattr(branch.hr.employees["E101"], field, value)
    branch.hr.employees["E101"].full_name = "另一人"
    branch.save()
    problem = f"two syncs of the corp claim its {field}: branch and acme"
    assert rejects(branch) == [("E101", field, "claimed_twice", problem)]
    problem = f"two syncs of the corp claim its {field}: acme and branch"
    for _ in range(2):
        assert rejects(head) == [("E1", field, "claimed_twice", problem)]
        head.apply()
        branch.apply()
    assert people_of(head, branch) == before

    setattr(branch.hr.employees["E101"], field, {"mobile": mobile(101), "email": email(101)}[field])
    assert failures(branch.apply()) == []
    assert rejects(head) == []
    assert head.wecom.members["e101"].name == "另一人"


def test_a_userid_that_both_claim_is_neithers(stories: tuple[Story, Story]) -> None:
    """Before anybody was created too: no sync has the better right by coming first."""
    head, branch = stories
    branch.person("e1", mobile=mobile(200), email=email(200))
    branch.save()
    head.stage.plan()
    assert [row[:3] for row in rejects(branch)] == [("e1", "userid", "claimed_twice")]
    assert [row[:3] for row in rejects(head)] == [("E1", "userid", "claimed_twice")]
    head.apply()
    branch.apply()
    assert "e1" not in head.wecom.members
    assert len(head.wecom.members) == 59


def test_the_mirror_holds_no_value_of_a_claim(stories: tuple[Story, Story]) -> None:
    """Only hashes: of userid, mobile and e-mail of each person."""
    for story in stories:
        story.stage.plan()
    rows = claims(stories[0].mirror)
    assert len(rows) == 2 * 30 * 3
    assert all(len(value) == 64 and set(value) <= set("0123456789abcdef") for _, _, value in rows)


def test_a_sync_that_the_config_no_longer_has_claims_nothing(stories: tuple[Story, Story]) -> None:
    """Nobody could ever give its claims up."""
    head, branch = stories
    branch.stage.plan()
    head.person("E101")
    head.save()
    assert [row[:3] for row in rejects(head)] == [
        ("E101", field, "claimed_twice") for field in ("userid", "mobile", "email")
    ]
    syncs = {"acme": head.stage.settings.sync["acme"]}
    head.stage.settings = head.stage.settings.model_copy(update={"sync": syncs})
    assert rejects(head) == []


def test_a_sync_of_its_own_corp_keeps_no_claims(tmp_path: Path) -> None:
    """Nobody would read them."""
    story = Story(tmp_path)
    story.people(3)
    story.settle()
    assert claims(story.mirror) == []


def test_one_run_at_a_time_writes_to_the_corp(stories: tuple[Story, Story]) -> None:
    """Whichever of its syncs it is of."""
    head = stories[0]
    head.stage.plan()
    store = Store(prepare(f"sqlite:///{head.mirror}"))
    held = lease.acquire(store, "acme", owner="branch (manual)", ttl=LEASE_TTL)
    with pytest.raises(RunInProgressError, match=r"branch \(manual\)"):
        head.apply()
    lease.release(store, held)
    store.close()
    assert any(change.verb is Verb.CREATE for change in head.apply().plan.changes)


def test_a_tag_of_one_name_holds_up_nobody(stories: tuple[Story, Story]) -> None:
    """It stays with the sync that has it; the other one says so, and does everything else."""
    head, branch = stories
    head.tag("党员", "E1")
    branch.tag("党员", "E101")
    head.settle_beside_strangers()
    branch.save()
    for _ in range(2):
        plan = branch.apply().plan
        (kept,) = [change for change in plan.changes if change.kind is Kind.TAG]
        assert (kept.verb, kept.reason, kept.key) == (Verb.KEEP, Reason.FOREIGN, "党员")
        assert "another sync" in str(kept.why)
    assert head.tagged("党员") == {"e1"}
    assert len(head.wecom.members) == 60
    assert described(branch.stage.plan().plan.writes) == []


def test_people_of_the_other_sync_are_not_adopted(stories: tuple[Story, Story]) -> None:
    """A leaver in grace, hired by the branch with the same number: rejected as taken, by approval too."""
    head, branch = stories
    for each in stories:
        each.wecom.legacy_ip = True
        assert failures(each.apply()) == []
    head.goes("E1")
    assert failures(head.apply()) == []
    adopting = branch.stage.settings.sync["branch"].policy.model_copy(update={"adopt": ("userid", "mobile")})
    sync = branch.stage.settings.sync["branch"].model_copy(update={"policy": adopting})
    branch.stage.settings = branch.stage.settings.model_copy(
        update={"sync": {**branch.stage.settings.sync, "branch": sync}}
    )
    branch.person("E131", mobile=mobile(1))
    branch.save()
    for weak_too in (False, True):
        plan = branch.stage.plan(weak_too=weak_too).plan
        assert [(row.key, row.field, row.rule) for row in plan.rejected] == [("E131", "mobile", "taken")]
        assert plan.writes == ()


def test_a_userid_of_the_other_syncs_deleted_is_not_given_anew(stories: tuple[Story, Story]) -> None:
    """Only the same key may have it again, in whichever sync it is."""
    head, branch = stories
    policy = head.stage.settings.sync["acme"].policy.model_copy(update={"leavers": "delete"})
    sync = head.stage.settings.sync["acme"].model_copy(update={"policy": policy})
    head.stage.settings = head.stage.settings.model_copy(
        update={"sync": {**head.stage.settings.sync, "acme": sync}}
    )
    for each in stories:
        assert failures(each.apply()) == []
    for emp_no in ("E1", "E2"):
        head.goes(emp_no)
    assert failures(head.apply()) == []
    branch.person("e1", mobile=mobile(200), email=email(200))
    branch.person("E2")
    branch.save()
    assert [row[:3] for row in rejects(branch)] == [("e1", "userid", "userid_reused")]
    branch.apply()
    assert "e1" not in branch.wecom.members
    assert "e2" in branch.wecom.members


@pytest.mark.parametrize(
    ("head_root", "branch_root", "relation"), [(1, BRANCH, "above"), (51, HEAD, "below")]
)
def test_roots_on_one_branch_are_refused(
    stories: tuple[Story, Story], head_root: int, branch_root: int, relation: str
) -> None:
    """Each would find the other's departments in its own tree: an error, before anything is written."""
    head, _ = stories
    head.wecom.add_department("部门", HEAD, id=51)
    roots = {"acme": head_root, "branch": branch_root}
    syncs = {
        name: sync.model_copy(update={"root_department": roots[name]})
        for name, sync in head.stage.settings.sync.items()
    }
    head.stage.settings = head.stage.settings.model_copy(update={"sync": syncs})
    with pytest.raises(ConfigError, match=f"{head_root} lies {relation} {branch_root}, .* of sync branch"):
        head.stage.plan()


@pytest.mark.parametrize(("id", "problem"), [(1, "above root_department"), (None, "belongs to another sync")])
def test_a_wish_for_what_is_not_ours_to_adopt(
    stories: tuple[Story, Story], id: int | None, problem: str
) -> None:
    """adopt_departments: neither a department of the other sync nor one above the root."""
    head, branch = stories
    assert failures(branch.apply()) == []
    (unit,) = [each for each in head.wecom.departments.values() if each.name == "研发部"]
    policy = head.stage.settings.sync["acme"].policy
    wished = policy.model_copy(update={"adopt_departments": {"D1": id or unit.id}})
    sync = head.stage.settings.sync["acme"].model_copy(update={"policy": wished})
    head.stage.settings = head.stage.settings.model_copy(
        update={"sync": {**head.stage.settings.sync, "acme": sync}}
    )
    with pytest.raises(ConfigError, match=problem):
        head.stage.plan()


def test_an_incomplete_reading_gives_up_no_claim(stories: tuple[Story, Story]) -> None:
    """Whoever is missing from it may be wanted all the same."""
    head, _ = stories
    head.stage.plan()
    before = claims(head.mirror)
    head.goes("E1")
    head.save()
    head.stage.sources = [torn(head)]
    head.stage.plan()
    assert sorted(claims(head.mirror)) == sorted(before)
    head.stage.sources = None
    head.stage.plan()
    assert len(claims(head.mirror)) == len(before) - 3


def test_a_job_that_the_other_sync_left_open_is_remembered_as_the_other_syncs(stories) -> None:
    """The run of one sync sees to the file of the other: whoever it created belongs to the other."""
    head, branch = stories
    for story in stories:
        assert failures(story.apply()) == []
    branch.stage.settings = head.stage.settings = with_method(head.stage.settings, "batch")
    branch.stage.state.job_seconds = 0.02
    for number in range(5):
        branch.person(f"E{number + 301}")
    branch.save()
    assert die_at(branch.stage, 0, is_after=True)
    assert branch.wecom.writes[-1].path == "batch/syncuser"
    head.stage.now = branch.stage.now
    assert failures(head.apply()) == []
    assert owners(head, "E30") == {"acme"}
    assert owners(head, "E301") == {"branch"}
    branch.stage.now = head.stage.now
    assert failures(branch.apply()) == []
    assert branch.stage.plan().plan.writes == head.stage.plan().plan.writes == ()


def with_method(settings: Settings, method: str) -> Settings:
    """Every sync writes this way."""
    syncs = {
        name: sync.model_copy(update={"policy": sync.policy.model_copy(update={"method": method})})
        for name, sync in settings.sync.items()
    }
    return settings.model_copy(update={"sync": syncs})


def owners(story: Story, key: str) -> set[str]:
    """The syncs that have a link of this person."""
    with closing(sqlite3.connect(story.mirror)) as mirror:
        return {sync for (sync,) in mirror.execute("select sync from member_links where key = ?", (key,))}
