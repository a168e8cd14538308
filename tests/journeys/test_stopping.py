"""A run that is stopped before a long circle begins leaves it alone, and takes no time over that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.lines import lines_run
from tests.journeys.story import Story
from wxsync.engine import apply
from wxsync.errors import WeComError

SMALL, LARGE = 40, 160


def stopped_before_a_circle(folder: Path, size: int) -> int:
    """`size` people trade numbers, and every call that comes before is refused; gives the lines run."""
    folder.mkdir()
    story = Story(folder, limits={"field_change": 1000, "member_update": 1000})
    story.people(size + 20)
    story.settle()
    for number in range(1, 21):
        story.hr.employees[f"E{number}"].title = "经理"
    story.swap("mobile", *(f"E{number + 20}" for number in range(1, size + 1)))
    story.wecom.faults.answer("user/update", 48002, times=20)
    before = story.mobiles()

    def act() -> None:
        with pytest.raises(WeComError, match="48002"):
            story.apply()

    lines = lines_run(act, apply.__file__)
    assert story.mobiles() == before
    return lines


def test_leaving_a_circle_alone_grows_with_its_size(tmp_path: Path) -> None:
    """Four times as many people, at most four times the work; a square would be sixteen."""
    small = stopped_before_a_circle(tmp_path / "small", SMALL)
    assert stopped_before_a_circle(tmp_path / "large", LARGE) < 4 * small
