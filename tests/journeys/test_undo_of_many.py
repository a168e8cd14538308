"""A run of very many changes is taken back: nearly every field, and what is left was said before."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.restored import differing, fields_of, listed
from tests.journeys.stage import failures
from tests.journeys.story import Story, email, mobile
from wxsync.model.loss import LossReason

WIDE = {"percent": 100, "floor": 100_000}
KINDS = (
    "member_remove",
    "member_create",
    "member_update",
    "field_change",
    "department_move",
    "tag_member_remove",
    "source_shrink",
)
LIMITS: dict[str, Any] = {**dict.fromkeys(KINDS, WIDE), "department_delete": 10_000}
TITLES = "工程师 高级工程师 专员 主管 经理 助理".split()


def company(folder: Path, people: int, chance: random.Random) -> Story:
    """So many people in a tree of departments, with leaders, marks, tags, and some who are leaving."""
    story = Story(folder, limits=LIMITS, policy={"delete_after_days": 1})
    codes = ["D1", "D2"]
    for number in range(3, people // 10 + 3):
        story.department(code := f"D{number}", f"部门{number}", codes[number // 6])
        codes.append(code)
    for number in range(1, people + 1):
        row = story.person(f"E{number}", dept=chance.choice(codes), title=chance.choice(TITLES))
        if number > 1 and chance.random() < 0.5:
            row.manager_no = f"E{chance.randrange(1, number)}"
        if chance.random() < 0.2:
            row.alias = f"别名{number}"
        if chance.random() < 0.1:
            story.place(f"E{number}", chance.choice(codes), is_leader=chance.random() < 0.5)
        if chance.random() < 0.3:
            story.tag(f"标签{chance.randrange(people // 50 + 2)}", f"E{number}")
    story.save()
    story.apply()
    for number in chance.sample(range(2, people + 1), people // 50):
        story.hr.employees[f"E{number}"].status = "left"
    story.apply()
    story.stage.later(days=2)
    return story


def a_wrong_day(story: Story, chance: random.Random) -> None:
    """Something of everything, to nearly everybody: nearly nothing of it stays where it was."""
    rows, units = story.hr.employees, story.hr.departments
    here = [each for each, row in rows.items() if row.status == "active"]
    gone = [each for each, row in rows.items() if row.status != "active"]
    chance.shuffle(here)
    for emp_no in gone[: len(gone) // 3]:
        rows[emp_no].status = "active"  # enabled again; the others are deleted
    leaving, circles, new = here[: len(here) // 40], here[len(here) // 40 : len(here) // 4], len(rows)
    for emp_no in leaving:
        rows[emp_no].status = "left"
    for place in range(0, len(circles) - 3, 3):
        story.swap(chance.choice(("mobile", "email")), *circles[place : place + 3])
    for emp_no in here[len(leaving) :]:
        row = rows[emp_no]
        row.title = chance.choice([each for each in TITLES if each != row.title])
        row.alias = None if row.alias else f"新{emp_no}"
        row.dept_code = chance.choice(list(units)[1:])
        if row.manager_no and chance.random() < 0.5:
            row.manager_no = chance.choice([each for each in here if each != emp_no])
    for unit in list(units.values())[3:]:
        if chance.random() < 0.3:
            unit.name = f"新{unit.name}"
        if chance.random() < 0.1:
            unit.parent_code = chance.choice(("D1", "D2"))
    dropped = [
        code for code in list(units)[3:] if not any(each.parent_code == code for each in units.values())
    ]
    for code in chance.sample(dropped, len(dropped) // 8):
        del units[code]
        story.hr.places = {key: each for key, each in story.hr.places.items() if each.dept_code != code}
        for row in rows.values():
            row.dept_code = "D1" if row.dept_code == code else row.dept_code
    story.hr.tags = {pair for pair in story.hr.tags if chance.random() < 0.7}
    for number in range(new + 1, new + 1 + len(here) // 100):
        story.person(f"E{number}", dept="D2", mobile=mobile(9000 - number % 900), email=email(number))
    story.person(f"E{new + 900}", mobile=rows[leaving[0]].mobile)  # a number that does not come back


def taken_back(folder: Path, people: int, seed: int) -> str:
    """Load, apply the wrong day, take it back; hold every field against what it was. Gives the figures."""
    chance = random.Random(seed)
    story = company(folder, people, chance)
    before = fields_of(story.wecom)
    a_wrong_day(story, chance)
    story.save()
    told = story.stage.plan().plan
    run = story.apply(approved=told.digest)
    assert failures(run) == []
    changed = differing(before, fields_of(story.wecom))
    assert len(told.writes) > people

    begun = time.perf_counter()
    undo = story.stage.plan_undo(run.id).plan
    undone = story.stage.undo(run.id, approved=undo.digest)
    seconds = time.perf_counter() - begun

    assert failures(undone) == []
    lost = differing(before, fields_of(story.wecom))
    unknown = {field for field in changed if listed(field, told.not_undoable, LossReason.UNKNOWN)}
    assert not lost - changed, "an undo changes nothing that the run did not"
    unsaid = [field for field in lost if not listed(field, told.not_undoable)]
    assert not unsaid, "what does not come back was said before"
    assert not [field for field in lost if not listed(field, undo.not_undoable)]
    known = changed - unknown
    share = 1 - len(lost - unknown) / len(known)
    assert share >= 0.999
    return (
        f"{len(told.writes)} changes, {len(changed)} fields of WeCom; {len(known)} known before, "
        f"{share:.3%} given back, {len(lost)} not, all listed; the undo took {seconds:.1f} s"
    )


def test_a_run_of_hundreds_of_changes_is_taken_back(tmp_path: Path) -> None:
    """Every field that was changed is as it was, but for those that were listed before it was applied."""
    print(taken_back(tmp_path, 265, seed=1))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_a_run_of_thousands_of_changes_is_taken_back(tmp_path: Path, seed: int) -> None:
    """The same of 5,000 changes: at least 99.9 % of the fields that were known before."""
    print(taken_back(tmp_path, 4500, seed=seed))
