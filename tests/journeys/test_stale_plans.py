"""Whatever alters a plan after somebody has approved it makes that approval worth nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.journeys.stage import failures
from tests.journeys.story import Story, email, mobile
from wxsync.errors import StalePlanError
from wxsync.model.approval import LIFETIME
from wxsync.model.change import Verb

Way = Callable[[Story, random.Random], object]

PEOPLE: Final = 12
TRIES: Final = 30
SOAK: Final = 1_000


def company(folder: Path) -> Story:
    """A company of twelve with something of everything to do, over its limit of leavers."""
    folder.mkdir(exist_ok=True)
    story = Story(folder, **CONFIG)
    story.department("D3", "客服部", "D2")
    story.people(PEOPLE)
    story.person("E20", dept="D3")
    story.tag("标签", "E1", "E2", "E3")
    story.place("E4", "D2", is_leader=True)
    story.settle()
    story.stage.later(days=8)
    story.goes("E11")
    story.goes("E12")
    story.person("E21", dept="D3", manager_no="E1")
    story.hr.employees["E5"].title = "经理"
    story.hr.employees["E6"].mobile = mobile(606)
    story.hr.employees["E7"].dept_code = "D3"
    story.hr.departments["D3"].name = "服务部"
    story.department("D4", "法务部")
    story.tag("标签", "E8")
    return story


CONFIG: Final = {"limits": {"member_remove": 1}, "policy": {"foreign_memberships": "remove"}}


def of_config(**changes: object) -> Way:
    return lambda story, chance: story.configure(**{**CONFIG, **changes})


def row(story: Story, chance: random.Random) -> object:
    """Somebody of whom the plan says nothing, or not this."""
    return story.hr.employees[chance.choice(["E1", "E2", "E3", "E8", "E9", "E10"])]


def of_row(field: str, values: Callable[[random.Random], object]) -> Way:
    return lambda story, chance: setattr(row(story, chance), field, values(chance))


SOURCE: Final[dict[str, Way]] = {
    "a title": of_row("title", lambda chance: chance.choice(["总监", "顾问", "助理"])),
    "a name": of_row("full_name", lambda chance: f"新名{chance.randrange(99)}"),
    "a number": of_row("mobile", lambda chance: mobile(700 + chance.randrange(99))),
    "an address": of_row("email", lambda chance: email(700 + chance.randrange(99))),
    "a place": of_row("dept_code", lambda chance: chance.choice(["D2", "D3"])),
    "a leader": of_row("manager_no", lambda chance: "E4"),
    "a leaver": of_row("status", lambda chance: "left"),
    "a last day": lambda story, chance: setattr(
        row(story, chance), "leave_date", story.stage.now.date().replace(day=1)
    ),
    "a row that is gone": lambda story, chance: story.goes(chance.choice(["E1", "E9", "E10"])),
    "a leaver who is back": lambda story, chance: story.person("E11"),
    "a new person": lambda story, chance: story.person(f"E{chance.randrange(30, 60)}"),
    "a creation less": lambda story, chance: story.goes("E21"),
    "another name of a creation": lambda story, chance: setattr(
        story.hr.employees["E21"], "full_name", "另名"
    ),
    "another title than planned": lambda story, chance: setattr(story.hr.employees["E5"], "title", "总监"),
    "a title as it was": lambda story, chance: setattr(story.hr.employees["E5"], "title", None),
    "another number than planned": lambda story, chance: setattr(
        story.hr.employees["E6"], "mobile", mobile(607)
    ),
    "a department's name": lambda story, chance: setattr(story.hr.departments["D1"], "name", "新研发"),
    "a department that moves": lambda story, chance: setattr(story.hr.departments["D3"], "parent_code", "D1"),
    "a department more": lambda story, chance: story.department("D9", "新部"),
    "a department less": lambda story, chance: story.hr.departments.pop("D4"),
    "an order": lambda story, chance: setattr(story.hr.departments["D2"], "sort", 7),
    "a tag": lambda story, chance: story.tag("新签", "E1"),
    "somebody in a tag": lambda story, chance: story.tag("标签", "E9"),
    "somebody out of a tag": lambda story, chance: story.hr.tags.remove(("标签", "E1")),
    "a place more": lambda story, chance: story.place("E1", "D2"),
    "a leader mark less": lambda story, chance: story.hr.places.pop(("E4", "D2")),
    "a bad row": lambda story, chance: setattr(story.hr.employees["E5"], "mobile", "call me"),
}

SETTINGS: Final[dict[str, Way]] = {
    "another column": of_config(member={"position": "alias"}),
    "a field more": of_config(member={"telephone": "mobile"}),
    "another name": of_config(member={"name": "full_name | upper ~ '.'"}),
    "who is active": of_config(member={"active": "status == 'left'"}),
    "a query": of_config(source={"members": "SELECT * FROM employees WHERE emp_no <> 'E9'"}),
    "no tags": of_config(source={"tags": None}),
    "leavers are deleted": of_config(policy={"leavers": "delete", "foreign_memberships": "remove"}),
    "leavers are kept": of_config(policy={"leavers": "keep", "foreign_memberships": "remove"}),
    "somebody is protected": of_config(policy={"protect": ["e5"], "foreign_memberships": "remove"}),
    "the name of a department": of_config(
        department={"key": "code", "parent": "parent_code", "name": "name ~ '处'", "root": "code == 'HQ'"}
    ),
}


def enabled(story: Story, userid: str) -> None:
    story.wecom.members[userid].enable = 1


WECOM: Final[dict[str, Way]] = {
    "somebody was moved": lambda story, chance: story.wecom.move_member("e9", [story.unit("市场部").id]),
    "somebody was put into another department": lambda story, chance: story.wecom.move_member(
        "e9", [story.unit("研发部").id, story.wecom.add_department("外部").id]
    ),
    "a leaver was deleted": lambda story, chance: story.wecom.remove_member("e11"),
    "somebody was deleted": lambda story, chance: story.wecom.remove_member("e5"),
    "somebody was made": lambda story, chance: story.wecom.add_member("E21", "别人", mobile=mobile(801)),
    "somebody was taken out of a tag": lambda story, chance: untag(story, "e1"),
}


def untag(story: Story, userid: str) -> None:
    (tag,) = [each for each in story.wecom.tags.values() if each.name == "标签"]
    del tag.users[userid]


def another_run(story: Story, chance: random.Random) -> None:
    """One person's changes are carried out in between."""
    story.save()
    story.stage.repair("E5")


def half_a_run(story: Story, chance: random.Random) -> None:
    """A run under another approval, of some of it, is cut off."""
    digest, plan = story.digest(), story.stage.plan().plan
    updates = [change for change in plan.writes if change.verb is Verb.UPDATE]
    if updates:
        story.stage.apply(approved=digest, parts=[f"{updates[-1].kind.value}:update"])


def restored(story: Story, chance: random.Random) -> None:
    """The mirror is as it was before anything was applied: everybody is a stranger."""
    for file in story.folder.glob("mirror.db*"):
        file.unlink()


def too_late(story: Story, chance: random.Random) -> None:
    """Nothing is otherwise but the day."""
    story.stage.now += LIFETIME
    story.stage.later(seconds=1 + chance.randrange(10_000))


MIRROR: Final[dict[str, Way]] = {
    "a repair": another_run,
    "a part": half_a_run,
    "a lost mirror": restored,
    "too late": too_late,
}
WAYS: Final = {**SOURCE, **SETTINGS, **WECOM, **MIRROR}


def refused(story: Story, ways: list[str], chance: random.Random) -> None:
    """Approve the plan as it is, alter it, and carry it out: refused, and nothing written."""
    digest = story.digest()
    for way in ways:
        WAYS[way](story, chance)
    story.save()
    since = len(story.wecom.writes)
    with pytest.raises(StalePlanError) as stale:
        story.apply(approved=digest)
    assert story.written(since) == [], ways
    assert len(stale.value.differences) <= 21
    is_spent = "carried out by" in stale.value.message or "hours ago" in stale.value.message
    assert stale.value.differences or is_spent or "a lost mirror" in ways, ways


def test_nothing_altered_is_carried_out(tmp_path: Path) -> None:
    """The proof's own control: without any of its ways the approval holds."""
    story = company(tmp_path)
    digest = story.digest()
    assert failures(story.apply(approved=digest)) == []


def _tried(tmp_path: Path, seeds: range) -> None:
    loaded = company(tmp_path / "loaded")
    for seed in seeds:
        chance = random.Random(seed)
        names = sorted(WAYS)
        ways = [names[seed % len(names)]] if seed < len(names) else chance.sample(names, chance.randint(1, 2))
        refused(loaded.copy(tmp_path / str(seed), **CONFIG), ways, chance)


def test_a_plan_that_was_altered_is_refused(tmp_path: Path) -> None:
    """By source, config, WeCom, mirror or age: every sixth way of all that are known, each alone."""
    _tried(tmp_path, range(0, len(WAYS), 6))


@pytest.mark.soak
def test_a_plan_that_was_altered_is_refused_whatever_the_way(tmp_path: Path) -> None:
    """Each of them alone."""
    _tried(tmp_path, range(len(WAYS)))


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10))
def test_a_plan_that_was_altered_in_any_ways_is_refused(tmp_path: Path, part: int) -> None:
    """The same a thousand times, one or two ways at once, by chance."""
    _tried(tmp_path, range(100 + part * SOAK // 10, 100 + (part + 1) * SOAK // 10))
