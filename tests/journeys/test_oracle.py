"""The oracle of the journeys sees whatever is not as it must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.journeys.hr import FIRST_DAY, hr_database
from tests.journeys.oracle import compare
from tests.journeys.story import Story, mobile
from wxsync.sandbox.state import SandboxState


def strip(state: SandboxState) -> None:
    """Leader mark and order are lost."""
    member = state.members["e1"]
    zeros = (0,) * len(member.department)
    member.placement = replace(member.placement, order=zeros, is_leader_in_dept=zeros)


def give_other_main(state: SandboxState) -> None:
    member = state.members["e1"]
    member.placement = replace(member.placement, main_department=member.department[1])


def make_anew(state: SandboxState) -> None:
    """A department of the same name in the same place, and not the same one."""
    empty = next(each for each in state.departments.values() if each.name == "客服部")
    state.remove_department(empty.id)
    state.add_department(empty.name, empty.parentid).order = empty.order


def sort_last(state: SandboxState) -> None:
    state.departments[102].order = 1


SPOILS: tuple[tuple[Callable[[SandboxState], object], int], ...] = (
    (lambda state: state.set_mobile("e1", "13900000000"), 1),
    (lambda state: setattr(state.members["e1"], "email", ""), 1),
    (lambda state: setattr(state.members["e1"], "name", "别人"), 1),
    (lambda state: setattr(state.members["e1"], "alias", "别名"), 1),
    (lambda state: setattr(state.members["e1"], "position", "经理"), 1),
    (lambda state: setattr(state.members["e1"], "gender", "2"), 1),
    (lambda state: setattr(state.members["e2"], "direct_leader", ()), 1),
    (lambda state: state.set_status("e1", 2), 1),
    (lambda state: state.move_member("e2", [1]), 3),
    (lambda state: state.remove_member("e3"), 1),
    (lambda state: state.add_member("boss", "老板", mobile=mobile(900)), 1),
    (strip, 2),
    (give_other_main, 1),
    (make_anew, 1),
    (sort_last, 1),
    (lambda state: state.rename_department(104, "别处"), 2),
    (lambda state: state.move_department(104, 102), 2),
    (lambda state: state.add_department("别处"), 1),
    (lambda state: state.untag_members(1, ["e1"]), 1),
    (lambda state: state.tag_members(1, ["e3"]), 1),
    (lambda state: state.add_tag("别的"), 1),
    (lambda state: state.remove_tag(1), 1),
)


def test_the_oracle_sees_every_single_difference(tmp_path: Path) -> None:
    """Each thing that is spoilt in WeCom is told, and nothing else."""
    loaded = Story(tmp_path)
    loaded.department("D3", "客服部")
    loaded.people(3)
    loaded.hr.employees["E2"].manager_no = "E1"
    loaded.place("E1", "D1", is_leader=True, sort=7)
    loaded.place("E1", "D2", sort=8)
    loaded.tag("标签", "E1", "E2")
    loaded.settle()
    for number, (spoil, count) in enumerate(SPOILS):
        story = loaded.copy(tmp_path / str(number))
        spoil(story.wecom)
        found = compare(story.wecom, story.company)
        assert len(found) == count, (number, found)


@pytest.mark.parametrize("field", ["full_name", "mobile", "title", "dept_code"])
def test_the_oracle_follows_the_rows(tmp_path: Path, field: str) -> None:
    """What HR changes is a difference until WeCom has it."""
    story = Story(tmp_path)
    story.people(1)
    story.settle()
    value = {"full_name": "新名", "mobile": mobile(9), "title": "经理", "dept_code": "D2"}[field]
    setattr(story.hr.employees["E1"], field, value)
    story.save()
    with hr_database(story.url) as engine:
        story.company.follow(engine, FIRST_DAY)
    story.company.tags.clear()
    assert compare(story.wecom, story.company) != []
