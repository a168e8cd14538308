"""Calls, files, or whichever is cheaper: the choice never changes what WeCom holds in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, example, given, seed, settings
from hypothesis import strategies as st

from tests.journeys.days import LAST_DAY, every_case, these_cases
from tests.journeys.hr import FIRST_DAY, found
from tests.journeys.stage import described, failures
from tests.journeys.ways import METHODS, REPLACE, Ways, directory_of, outcomes_of, ways_of

PARTS = 25
EXAMPLES = 15
SOAKED = 500

FOREIGN_NUMBER = "13999990001"

ODD = st.sampled_from(
    (
        " 前后有空格 ",
        "\u3000全角空格\u3000",
        "\ufeff字节序\u200b",
        "反\\斜杠",
        "\\",
        '说"引号"',
        '"',
        "'",
        "逗,号;分号",
        "换\n行",
        "回\r\n车",
        "制\t表",
        "=1+1",
        "+8613800000000",
        "-",
        "@某人",
        "0012",
        "1e5",
        "NULL",
        "男",
        "😀",
        "e\u0301",
        "\u0301",
    )
)
TEXT = st.one_of(ODD, st.text(max_size=12), st.none())
PHONE = st.one_of(st.text("0123456789+-,", min_size=1, max_size=12), st.none())
NAME = st.one_of(ODD, st.text(max_size=8)).map(lambda text: f"员{text}")
FLAG = st.sampled_from((None, True, False))

VALUES: dict[str, st.SearchStrategy[object]] = {
    "full_name": NAME,
    "alias": TEXT,
    "title": TEXT,
    "gender": st.sampled_from(("男", "女", None)),
    "phone": PHONE,
    "address": TEXT,
    "site": TEXT,
    "badge": TEXT,
    "rank": TEXT,
    "is_open": FLAG,
}


@dataclass(frozen=True)
class Wish:
    """One field of somebody gets a value."""

    person: int
    field: str
    value: object


@dataclass(frozen=True)
class Day:
    """What HR does in a day."""

    cases: list[str] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    promotion: str | None = None
    """Everybody gets this title, which pays for a file."""
    robbed: int | None = None
    """Somebody gets a number that is not theirs to have."""
    guest: int | None = None
    """Somebody is put into a department that is not ours too."""


PERSON = st.integers(0, 60)
WISH = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.builds(Wish, PERSON, st.just(name), VALUES[name])
)
OFTEN = (
    "chain_of_numbers",
    "changes_department",
    "hired_with_a_leader_of_today",
    "leader_mark_changes",
    "leaves_second_department",
    "main_department_changes",
    "number_of_a_leaver",
    "order_changes",
    "returns",
    "second_department",
    "status_inactive",
    "two_swap_numbers",
)
"""Cases in which a file and a call have to say different things."""
CASES = st.lists(
    st.one_of(st.sampled_from(OFTEN), st.sampled_from(sorted(every_case() - {LAST_DAY}))), max_size=8
)
DAY = st.builds(
    Day,
    CASES,
    st.lists(WISH, max_size=12),
    st.sampled_from((None, None, "顾问", "反\\斜杠")),
    st.one_of(*[st.none()] * 4, PERSON),
    st.one_of(st.none(), st.none(), PERSON),
)
LOAD = st.builds(Day, wishes=st.lists(WISH, max_size=12))
DAYS = st.lists(DAY, min_size=1, max_size=2)
SIZE = st.sampled_from((20, 20, 20, 20, 90))
PAYS: dict[str, Any] = {
    "company": 1,
    "size": 90,
    "leavers": "disable",
    "load": Day(),
    "days": [Day(promotion="顾问")],
}
"""Enough for "auto" to take a file."""
LEAVERS = st.sampled_from(("disable", "delete", "keep"))


def same_end(
    folder: Callable[[], Path],
    examples: int,
    part: int = 0,
    methods: Mapping[str, Mapping[str, object]] = METHODS,
) -> None:
    """The property; each part has other companies than the one before it."""

    @seed(part)
    @settings(max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @example(**PAYS)
    @given(company=st.integers(0, 2**32), size=SIZE, leavers=LEAVERS, load=LOAD, days=DAYS)
    def holds(company: int, size: int, leavers: str, load: Day, days: list[Day]) -> None:
        hr = found(company, members=size, departments=8, tags=3, levels=4)
        with ways_of(hr, folder(), {"leavers": leavers}, methods) as ways:
            if any(day.robbed is not None for day in days):
                ways.stranger(FOREIGN_NUMBER)
            ways.work_off(backwards=company % 2 == 1)
            for number, day in enumerate((load, *days)):
                _happen(ways, FIRST_DAY + timedelta(days=number), day)
                is_clean = _check(ways)
            _check_rest(ways, is_clean=is_clean)

    holds()


def _happen(ways: Ways, today: date, day: Day) -> None:
    ways.live(today)
    these_cases(ways.hr, today, day.cases)
    ways.hr.tags.add(("常在", ways.row(0).emp_no))  # a source that has no tags any more is refused
    if day.promotion is not None:
        for row in ways.hr.employees.values():
            row.title = day.promotion
    for wish in day.wishes:
        row = ways.row(wish.person)
        setattr(row if hasattr(row, wish.field) else ways.detail(row.emp_no), wish.field, wish.value)
    if day.robbed is not None:
        ways.row(day.robbed).mobile = FOREIGN_NUMBER
    if day.guest is not None:
        ways.put_elsewhere(ways.row(day.guest).emp_no.lower())


def _check(ways: Ways) -> bool:
    """Same plan, same outcomes, same directory, whatever the method; whether nothing was refused."""
    runs = ways.apply()
    single = runs["single"]
    told = described(single.plan.changes)
    for method, run in runs.items():
        assert described(run.plan.changes) == told, method
        assert outcomes_of(run) == outcomes_of(single), (method, told)
        state = ways.stages[method].state
        assert directory_of(state) == directory_of(ways.stages["single"].state), (method, told)
        assert state.invitations == [], method
        event(f"{method}: {run.plan.forecast.method}")
    return failures(single) == []


def _check_rest(ways: Ways, *, is_clean: bool) -> None:
    """The same is left to do: nothing, where nothing was refused."""
    plans = {method: stage.plan().plan for method, stage in ways.stages.items()}
    left = {method: described(plan.writes) for method, plan in plans.items()}
    for method, writes in left.items():
        assert writes == left["single"], method
    assert left["single"] == [] or not is_clean, left["single"]


def test_calls_and_files_leave_the_same_directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Field by field, with the same outcomes, an empty plan after, and nobody invited."""
    same_end(lambda: tmp_path_factory.mktemp("company"), EXAMPLES)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_calls_and_files_leave_the_same_directory_whatever_the_company(
    tmp_path_factory: pytest.TempPathFactory, part: int
) -> None:
    """The same 500 times, and by one file that replaces everybody where nothing stands against it."""
    same_end(lambda: tmp_path_factory.mktemp("company"), SOAKED // PARTS, part, {**METHODS, **REPLACE})
