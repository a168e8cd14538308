"""However changes hang together, the work of deciding grows with their number and not with its square."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.companies import Company, desired, person, unit
from tests.engine.lines import lines_run
from wxsync.engine import decide
from wxsync.model.department import Department
from wxsync.model.desired import Desired

Case = tuple[Company, Desired]
PACKAGE = decide.__file__.removesuffix("decide.py")
SMALL, LARGE = 100, 400


def mobile(number: int) -> str:
    return f"138{number:08d}"


def company(people: int = 0, departments: int = 0) -> Company:
    """Everybody with a phone number and an address of their own; departments side by side."""
    made = Company()
    for number in range(departments):
        made.department(f"D{number}", name=f"n{number}")
    for number in range(people):
        made.member(f"E{number}", mobile=mobile(number), email=f"e{number}@example.com")
    return made


def with_mobiles(count: int, wish: Callable[[int], int]) -> Case:
    people = [
        person(f"E{number}", mobile=mobile(wish(number)), email=f"e{number}@example.com")
        for number in range(count)
    ]
    return company(people=count), desired(people)


def numbers_in_one_circle(count: int) -> Case:
    return with_mobiles(count, lambda number: (number + 1) % count)


def numbers_in_one_row(count: int) -> Case:
    return with_mobiles(count, lambda number: number + 1)


def numbers_in_a_row_that_is_blocked(count: int) -> Case:
    """The last one keeps the number, so nobody in the row can have what they want."""
    made, wanted = with_mobiles(count, lambda number: number + 1)
    made.member("LAST", mobile=mobile(count))
    return made, desired([*wanted.members.values(), person("LAST", mobile=mobile(count))])


def numbers_in_a_circle_that_nothing_unties(count: int) -> Case:
    made = Company()
    for number in range(count):
        made.member(f"E{number}", mobile=mobile(number))
    return made, desired(
        [person(f"E{number}", mobile=mobile((number + 1) % count)) for number in range(count)]
    )


def leaders_in_one_row(count: int) -> Case:
    """A first load in which everybody waits for the next one."""
    people = [
        person(f"E{number}", mobile=mobile(number), direct_leader=f"E{number + 1}") for number in range(count)
    ]
    return Company(), desired([*people, person(f"E{count}", mobile=mobile(count))])


def with_departments(count: int, wish: Callable[[int], Department]) -> Case:
    return company(departments=count), desired([], [wish(number) for number in range(count)])


def names_in_one_circle(count: int) -> Case:
    return with_departments(count, lambda number: unit(f"D{number}", name=f"n{(number + 1) % count}"))


def names_in_pairs(count: int) -> Case:
    return with_departments(count, lambda number: unit(f"D{number}", name=f"n{number ^ 1}"))


def parents_dropped_and_children_moved(count: int) -> Case:
    made = Company()
    for number in range(count):
        made.department(f"D{number}", f"D{number - 1}" if number % 2 else 1, f"n{number}")
    return made, desired([], [unit(f"D{number}", name=f"n{number}") for number in range(1, count, 2)])


CASES = (
    numbers_in_one_circle,
    numbers_in_one_row,
    numbers_in_a_row_that_is_blocked,
    numbers_in_a_circle_that_nothing_unties,
    leaders_in_one_row,
    names_in_one_circle,
    names_in_pairs,
    parents_dropped_and_children_moved,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_four_times_the_changes_are_four_times_the_work(case: Callable[[int], Case]) -> None:
    """Four times as many changes run four times as many lines, give or take; a square would be sixteen."""

    def deciding(count: int) -> int:
        made, wanted = case(count)
        return lines_run(lambda: made.decide(wanted), PACKAGE)

    assert deciding(LARGE) < 5 * deciding(SMALL)
