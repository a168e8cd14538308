"""One day in HR, drawn from everything that can happen; what is drawn is told in words.

Whatever is drawn, the rows that are left are in order: every parent and department is there, no
two who are wanted share a number, no siblings share a name. The way from yesterday to today is
what is hard.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable
from copy import copy
from datetime import date, timedelta

from tests.journeys.hr import HQ, Departed, Department, Employee, Hr

DEEPEST = 10
LAST_DAY = "last_day_passed"
MOST_MOVED = 15


def a_day(hr: Hr, today: date, *, intensity: int = 1) -> list[str]:
    """Change the rows as a day of HR would; gives the cases that occurred, each by its name."""
    return _Day(hr, today).all(intensity)


def these_cases(hr: Hr, today: date, cases: Iterable[str]) -> list[str]:
    """The same with these cases, in this order; gives those for which the company has the people."""
    return _Day(hr, today).these(cases)


def every_case() -> frozenset[str]:
    """The names of all cases."""
    day = _Day(Hr(random.Random(0)), date.min)
    return frozenset({act.__name__ for acts, _ in day.kinds() for act in acts} | {LAST_DAY})


class _Day:
    """The day while it happens."""

    def __init__(self, hr: Hr, today: date) -> None:
        self.hr = hr
        self.today = today
        self.random = hr.random
        self.happened: list[str] = []
        self._morning = {code: copy(row) for code, row in hr.departments.items()}
        self._restructured: set[str] = set()
        """Departments whose place or name has changed today."""
        self._reached: set[str] = set()
        """People whose phone number or address has changed today."""
        self._former = list(hr.departed)

    def all(self, intensity: int) -> list[str]:
        self._note_ends()
        for acts, count in self.kinds():
            self._some(acts, count * intensity)
        self._forget_ghosts()
        return self.happened

    def these(self, cases: Iterable[str]) -> list[str]:
        self._note_ends()
        acts = {act.__name__: act for acts, _ in self.kinds() for act in acts}
        for case in cases:
            with contextlib.suppress(IndexError, ValueError):  # nobody is left whom it could befall
                self._some([acts[case]], 1)
        self._forget_ghosts()
        return self.happened

    def kinds(self) -> list[tuple[list[Callable[[], bool]], int]]:
        """What can happen, and how much of each kind on a usual day. Who leaves is known first."""
        return [
            (self.leavings(), 3),
            (self.reorganisations(), 4),
            (self.arrivals(), 3),
            (self.places(), 4),
            (self.contacts(), 5),
            (self.labels(), 3),
            (self.corrections(), 3),
        ]

    def _some(self, acts: list[Callable[[], bool]], count: int) -> None:
        """So many of the acts, in any order; one that is not possible today does not happen."""
        for act in self.random.sample(acts, len(acts)):
            if count and act():
                self.happened.append(act.__name__)
                count -= 1

    # Who leaves, and who comes back

    def leavings(self) -> list[Callable[[], bool]]:
        return [self.row_goes, self.status_inactive, self.gives_notice, self.returns, self.leader_leaves]

    def row_goes(self) -> bool:
        row = self._worker()
        self._depart(row)
        del self.hr.employees[row.emp_no]
        self._strike(row.emp_no)
        return True

    def status_inactive(self) -> bool:
        row = self._worker()
        self._depart(row)
        row.status = self.random.choice(("left", "retired"))
        return True

    def gives_notice(self) -> bool:
        self._worker().leave_date = self.today + timedelta(days=self.random.randrange(0, 4))
        return True

    def leader_leaves(self) -> bool:
        """Somebody whom others have as direct leader; their rows still say so."""
        managers = {row.manager_no for row in self.hr.employees.values()}
        row = self._worker(lambda row: row.emp_no in managers)
        self._depart(row)
        row.status = "left"
        return True

    def returns(self) -> bool:
        """With a row as before or with a new title; who lost the number meanwhile has another."""
        if not self._former:
            return False
        departed = self.hr.departed.pop(self._former.pop(self.random.randrange(len(self._former))))
        row = copy(departed.row)
        row.status, row.leave_date, row.title = "active", None, "顾问"
        if departed.has_given_up:
            row.mobile, row.email = self.hr.mobile(), self.hr.email()
        self._strike(row.emp_no)
        row.dept_code = self._code()
        self.hr.employees[row.emp_no] = row
        self._reached.add(row.emp_no)
        return True

    def _note_ends(self) -> None:
        """Those whose last day was yesterday."""
        for row in list(self.hr.employees.values()):
            is_over = row.leave_date is not None and row.leave_date < self.today
            if is_over and row.status == "active" and row.emp_no not in self.hr.departed:
                self._depart(row)
                self.happened.append(LAST_DAY)

    def _depart(self, row: Employee) -> None:
        codes = self.hr.codes_of(row) or frozenset({HQ})
        self.hr.departed[row.emp_no] = Departed(copy(row), codes)

    def _strike(self, emp_no: str) -> None:
        """No row of another table names this person any more."""
        for key in [key for key in self.hr.places if key[0] == emp_no]:
            del self.hr.places[key]
        self.hr.tags -= {pair for pair in self.hr.tags if pair[1] == emp_no}

    # The tree

    def reorganisations(self) -> list[Callable[[], bool]]:
        return [
            self.renamed,
            self.siblings_swap_names,
            self.rename_chain,
            self.three_rotate_names,
            self.name_of_a_dropped_one,
            self.subtree_under_its_child,
            self.dropped_and_emptied,
            self.dropped_with_a_leaver_in_it,
            self.dropped_with_children_moved_up,
            self.dropped_subtree,
            self.moved,
            self.moved_into_a_freed_name,
            self.moved_under_a_new_one,
            self.comes_back,
            self.sorted_anew,
        ]

    def renamed(self) -> bool:
        row = self._department()
        row.name = self.hr.department_name(row.parent_code)
        return self._changed(row)

    def siblings_swap_names(self) -> bool:
        group = self._siblings(2)
        if not group:
            return False
        one, two = group
        one.name, two.name = two.name, one.name
        return self._changed(*group)

    def rename_chain(self) -> bool:
        """A is called what B was, and B what C was; C gets a new name."""
        group = self._siblings(3)
        if not group:
            return False
        a, b, c = group
        a.name, b.name, c.name = b.name, c.name, self.hr.department_name(c.parent_code)
        return self._changed(*group)

    def three_rotate_names(self) -> bool:
        group = self._siblings(3)
        if not group:
            return False
        a, b, c = group
        a.name, b.name, c.name = b.name, c.name, a.name
        return self._changed(*group)

    def name_of_a_dropped_one(self) -> bool:
        """A new department, beside the dropped one's siblings, that is called as it was."""
        row = self._droppable(lambda row: not self.hr.children(row.code) and self._is_vacant(row))
        if row is None:
            return False
        self._drop(row)
        new = self.hr.add_department(str(row.parent_code), row.name)
        self._empty(row.code, new.code)
        return self._changed(row, new)

    def subtree_under_its_child(self) -> bool:
        """A child takes its parent's place, and the parent with all the rest goes below it."""
        for row in self._shuffled():
            for child in self.hr.children(row.code):
                fits = self.hr.is_free(row.parent_code, child.name, but=row.code)
                free = self.hr.is_free(child.code, row.name)
                if fits and free and self.hr.depth(row.code) + self.hr.height(row.code) <= DEEPEST:
                    child.parent_code, row.parent_code = row.parent_code, child.code
                    return self._changed(row, child)
        return False

    def dropped_and_emptied(self) -> bool:
        row = self._droppable(lambda row: not self.hr.children(row.code) and self._is_vacant(row))
        return row is not None and self._close(row)

    def dropped_with_a_leaver_in_it(self) -> bool:
        """Somebody who left is still in it: it cannot go."""
        row = self._droppable(lambda row: not self.hr.children(row.code) and not self._is_vacant(row))
        return row is not None and self._close(row)

    def dropped_with_children_moved_up(self) -> bool:
        row = self._droppable(lambda row: 0 < len(self.hr.children(row.code)) <= 2)
        if row is None:
            return False
        children = self.hr.children(row.code)
        if not all(self.hr.is_free(row.parent_code, child.name, but=row.code) for child in children):
            return False
        if any(child.code in self._restructured for child in children):
            return False
        for child in children:
            child.parent_code = row.parent_code
        self._changed(*children)
        if any(child.name == row.name for child in children) and not self._is_vacant(row):
            # The dropped one stays under that name, so the child must have another.
            for child in children:
                child.name = self.hr.department_name(child.parent_code, is_new=True)
        return self._close(row)

    def dropped_subtree(self) -> bool:
        """A department and its only child, which has no children."""
        row = self._droppable(
            lambda row: [self.hr.height(child.code) for child in self.hr.children(row.code)] == [1]
        )
        if row is None or row.parent_code is None:
            return False
        (child,) = self.hr.children(row.code)
        if child.code in self._restructured:
            return False
        for each in (child, row):
            self._drop(each)
            self._empty(each.code, row.parent_code)
        return self._changed(row, child)

    def moved(self) -> bool:
        row = self._department()
        for target in self._shuffled():
            if self._may_move(row, target):
                row.parent_code = target.code
                return self._changed(row)
        return False

    def moved_into_a_freed_name(self) -> bool:
        """It goes where a department of its name was until this morning."""
        for row in self._shuffled():
            for target in self._shuffled():
                namesake = next((s for s in self.hr.children(target.code) if s.name == row.name), None)
                if namesake is None or namesake.code == row.code or row.code in self._restructured:
                    continue
                own, namesake.name = namesake.name, self.hr.department_name(target.code, is_new=True)
                if self._may_move(row, target):
                    row.parent_code = target.code
                    return self._changed(row, namesake)
                namesake.name = own
        return False

    def moved_under_a_new_one(self) -> bool:
        """Below a department, below another, both of today."""
        row = self._department()
        above = str(row.parent_code)
        if self.hr.depth(row.code) + self.hr.height(row.code) + 1 > DEEPEST or row.code in self._restructured:
            return False
        outer = self.hr.add_department(above)
        inner = self.hr.add_department(outer.code)
        row.parent_code = inner.code
        return self._changed(row, outer, inner)

    def comes_back(self) -> bool:
        """A dropped department, whether WeCom still has it or not, with a new name."""
        codes = [code for code in (*self.hr.ghosts, *sorted(self.hr.closed)) if code not in self._morning]
        if not codes:
            return False
        code = self.random.choice(codes)
        above = next((row for row in self._shuffled() if self.hr.depth(row.code) < DEEPEST), None)
        parent = HQ if above is None else above.code
        self.hr.ghosts.pop(code, None)
        self.hr.closed.discard(code)
        row = Department(code, parent, self.hr.department_name(parent, is_new=True), 7)
        self.hr.departments[code] = row
        return self._changed(row)

    def sorted_anew(self) -> bool:
        self._department().sort = self.random.randrange(1, 100_000)
        return True

    def _may_move(self, row: Department, target: Department) -> bool:
        return (
            row.code not in self._restructured
            and target.code != row.parent_code
            and row.code not in set(self.hr.above(target.code))
            and self.hr.is_free(target.code, row.name)
            and self.hr.depth(target.code) + self.hr.height(row.code) <= DEEPEST
        )

    def _changed(self, *rows: Department) -> bool:
        self._restructured.update(row.code for row in rows)
        return True

    def _close(self, row: Department) -> bool:
        self._drop(row)
        self._empty(row.code, str(row.parent_code))
        return self._changed(row)

    def _drop(self, row: Department) -> None:
        del self.hr.departments[row.code]
        self.hr.ghosts[row.code] = row

    def _is_vacant(self, row: Department) -> bool:
        """Nobody who left is in it as WeCom has it, and no dropped department is below it."""
        codes = {code for each in self.hr.departed.values() for code in each.codes}
        return row.code not in codes and all(g.parent_code != row.code for g in self.hr.ghosts.values())

    def _forget_ghosts(self) -> None:
        """Those that nothing holds are gone by tonight."""
        while gone := [code for code, row in self.hr.ghosts.items() if self._is_vacant(row)]:
            for code in gone:
                del self.hr.ghosts[code]
                self.hr.closed.add(code)

    def _empty(self, code: str, into: str) -> None:
        """Everybody who is wanted leaves the department for another one."""
        for row in self.hr.wanted(self.today):
            if row.dept_code == code:
                self._move(row, into)
            elif (row.emp_no, code) in self.hr.places:
                del self.hr.places[row.emp_no, code]
        for key in [key for key in self.hr.places if key[1] == code]:
            del self.hr.places[key]

    def _move(self, row: Employee, into: str) -> None:
        """Another main department; order and mark go along where there are any."""
        place = self.hr.places.pop((row.emp_no, str(row.dept_code)), None)
        row.dept_code = into
        if place is not None and (row.emp_no, into) not in self.hr.places:
            self.hr.add_place(row.emp_no, into, is_leader=place.is_leader)

    def _droppable(self, suits: Callable[[Department], bool]) -> Department | None:
        """One that suits, is as it was this morning, and does not move too many people by going."""
        for row in self._shuffled():
            is_settled = row.code in self._morning and row.code not in self._restructured
            if is_settled and row.parent_code is not None and suits(row):
                people = sum(row.code in self.hr.codes_of(each) for each in self._at_work())
                if people <= MOST_MOVED:
                    return row
        return None

    def _shuffled(self) -> list[Department]:
        """Every department but the company itself, in any order."""
        rows = [row for row in self.hr.departments.values() if row.code != HQ]
        return self.random.sample(rows, len(rows))

    def _department(self) -> Department:
        return self._shuffled()[0]

    def _code(self) -> str:
        return self.random.choice(list(self.hr.departments))

    def _siblings(self, count: int) -> list[Department]:
        """So many children of one parent; none where no parent has them."""
        for parent in self.random.sample(list(self.hr.departments), len(self.hr.departments)):
            children = self.hr.children(parent)
            if len(children) >= count:
                return self.random.sample(children, count)
        return []

    # Who is hired

    def arrivals(self) -> list[Callable[[], bool]]:
        return [
            self.hired,
            self.hired_for_later,
            self.hired_with_a_leader_of_today,
            self.new_leader_for_old_hands,
            self.circle_of_leaders,
            self.hired_into_a_new_department,
        ]

    def hired(self) -> bool:
        for _ in range(self.random.randrange(1, 4)):
            self._hire()
        return True

    def hired_for_later(self) -> bool:
        row = self._hire()
        row.hire_date = self.today + timedelta(days=self.random.randrange(1, 4))
        self._worker().manager_no = row.emp_no
        return True

    def hired_with_a_leader_of_today(self) -> bool:
        leader, *others = (self._hire() for _ in range(3))
        for row in others:
            row.manager_no = leader.emp_no
        return True

    def new_leader_for_old_hands(self) -> bool:
        leader = self._hire()
        for _ in range(3):
            self._worker().manager_no = leader.emp_no
        self.hr.add_place(leader.emp_no, str(leader.dept_code), is_leader=True)
        return True

    def circle_of_leaders(self) -> bool:
        circle = [self._hire() for _ in range(self.random.choice((2, 3)))]
        for row, leader in zip(circle, circle[1:] + circle[:1], strict=True):
            row.manager_no = leader.emp_no
        return True

    def hired_into_a_new_department(self) -> bool:
        parent = self._department()
        if self.hr.depth(parent.code) >= DEEPEST:
            return False
        self._hire().dept_code = self.hr.add_department(parent.code).code
        return True

    def _hire(self) -> Employee:
        row = self.hr.add_employee(self._code(), self.today)
        row.manager_no = self._worker().emp_no
        return row

    # Where people are

    def places(self) -> list[Callable[[], bool]]:
        return [
            self.changes_department,
            self.second_department,
            self.leaves_second_department,
            self.main_department_changes,
            self.leader_mark_changes,
            self.order_changes,
            self.to_no_department,
        ]

    def changes_department(self) -> bool:
        for _ in range(3):
            self._move(self._worker(lambda row: row.dept_code is not None), self._code())
        return True

    def second_department(self) -> bool:
        row, code = self._worker(lambda row: row.dept_code is not None), self._code()
        self.hr.add_place(row.emp_no, code, is_leader=self.random.random() < 0.5)
        return True

    def leaves_second_department(self) -> bool:
        key = self._second_place()
        if key is not None:
            del self.hr.places[key]
        return key is not None

    def main_department_changes(self) -> bool:
        key = self._second_place()
        if key is None:
            return False
        row = self.hr.employees[key[0]]
        before, row.dept_code = str(row.dept_code), key[1]
        if (row.emp_no, before) not in self.hr.places:
            self.hr.add_place(row.emp_no, before)
        return True

    def leader_mark_changes(self) -> bool:
        keys = self._places_at_work()
        for key in self.random.sample(keys, min(2, len(keys))):
            self.hr.places[key].is_leader ^= True
        return bool(keys)

    def order_changes(self) -> bool:
        keys = self._places_at_work()
        for key in self.random.sample(keys, min(2, len(keys))):
            self.hr.places[key].sort = self.random.randrange(1, 100_000)
        return bool(keys)

    def to_no_department(self) -> bool:
        """None at all: directly below the company."""
        row = self._worker(lambda row: row.dept_code is not None)
        for key in [key for key in self.hr.places if key[0] == row.emp_no]:
            del self.hr.places[key]
        row.dept_code = None
        return True

    def _second_place(self) -> tuple[str, str] | None:
        keys = [
            key for key in self._places_at_work() if self.hr.employees[key[0]].dept_code not in (None, key[1])
        ]
        return self.random.choice(keys) if keys else None

    def _places_at_work(self) -> list[tuple[str, str]]:
        people = {row.emp_no for row in self._at_work()}
        return [key for key in self.hr.places if key[0] in people]

    # Phone numbers and addresses

    def contacts(self) -> list[Callable[[], bool]]:
        return [
            self.number_corrected,
            self.two_swap_numbers,
            self.two_swap_numbers_and_one_has_no_address,
            self.two_swap_addresses,
            self.two_swap_both,
            self.three_rotate_numbers,
            self.three_rotate_addresses,
            self.three_rotate_both_ways,
            self.swap_knotted_with_a_chain,
            self.number_of_a_leaver,
            self.address_of_a_leaver,
            self.joiner_has_number_of_a_leaver,
            self.joiner_has_number_of_one_who_gets_another,
            self.chain_of_numbers,
            self.number_withdrawn_and_given_away,
        ]

    def number_corrected(self) -> bool:
        (row,) = self._reachable(1)
        row.mobile = self.hr.mobile()
        return True

    def two_swap_numbers(self) -> bool:
        return self._rotate(self._reachable(2), "mobile")

    def two_swap_numbers_and_one_has_no_address(self) -> bool:
        bare = [row for row in self._unreached() if row.mobile and not row.email]
        if not bare:
            return False
        one = self.random.choice(bare)
        self._reached.add(one.emp_no)
        return self._rotate([one, *self._reachable(1)], "mobile")

    def two_swap_addresses(self) -> bool:
        return self._rotate(self._reachable(2), "email")

    def two_swap_both(self) -> bool:
        people = self._reachable(2)
        return self._rotate(people, "mobile") and self._rotate(people, "email")

    def three_rotate_numbers(self) -> bool:
        return self._rotate(self._reachable(3), "mobile")

    def three_rotate_addresses(self) -> bool:
        return self._rotate(self._reachable(3), "email")

    def three_rotate_both_ways(self) -> bool:
        people = self._reachable(3)
        return self._rotate(people, "mobile") and self._rotate(people[::-1], "email")

    def swap_knotted_with_a_chain(self) -> bool:
        """Two swap numbers; one of them takes the address of a third, and the other that one's number."""
        a, b, c = self._reachable(3)
        a.mobile, b.mobile = b.mobile, a.mobile
        a.email, c.email, b.email = c.email, b.email, self.hr.email()
        return True

    def number_of_a_leaver(self) -> bool:
        return self._inherit("mobile", self._reachable(1)[0])

    def address_of_a_leaver(self) -> bool:
        return self._inherit("email", self._reachable(1)[0])

    def joiner_has_number_of_a_leaver(self) -> bool:
        return self._rich_departed() != [] and self._inherit("mobile", self._hire())

    def joiner_has_number_of_one_who_gets_another(self) -> bool:
        joiner, (row,) = self._hire(), self._reachable(1)
        joiner.mobile, row.mobile = row.mobile, self.hr.mobile()
        return True

    def chain_of_numbers(self) -> bool:
        """A joiner has what one had, who has what another had, who gets a new one."""
        joiner, (a, b) = self._hire(), self._reachable(2)
        joiner.mobile, a.mobile, b.mobile = a.mobile, b.mobile, self.hr.mobile()
        return True

    def number_withdrawn_and_given_away(self) -> bool:
        """HR has no number for one any more, and another has it."""
        a, b = self._reachable(2)
        a.mobile, b.mobile = None, a.mobile
        return True

    def _rotate(self, people: list[Employee], name: str) -> bool:
        values = [getattr(row, name) for row in people]
        for row, value in zip(people, values[1:] + values[:1], strict=True):
            setattr(row, name, value)
        return True

    def _rich_departed(self) -> list[Departed]:
        """Those who can give one contact up and still have the other."""
        return [
            each
            for each in self.hr.departed.values()
            if each.row.mobile and each.row.email and not each.has_given_up
        ]

    def _inherit(self, name: str, heir: Employee) -> bool:
        rich = self._rich_departed()
        if not rich:
            return False
        departed = self.random.choice(rich)
        departed.has_given_up = True
        setattr(heir, name, getattr(departed.row, name))
        return True

    def _reachable(self, count: int) -> list[Employee]:
        """People with a number and an address, whose contacts nothing else changes today."""
        rows = self.random.sample([row for row in self._unreached() if row.mobile and row.email], count)
        self._reached.update(row.emp_no for row in rows)
        return rows

    def _unreached(self) -> list[Employee]:
        return [row for row in self._at_work() if row.emp_no not in self._reached]

    # Tags

    def labels(self) -> list[Callable[[], bool]]:
        return [
            self.joins_a_tag,
            self.leaves_a_tag,
            self.tag_changes_hands,
            self.new_tag,
            self.dropped_tag,
            self.grade_changes,
        ]

    def joins_a_tag(self) -> bool:
        self.hr.tags.add((self._tag(), self._worker().emp_no))
        return True

    def leaves_a_tag(self) -> bool:
        self.hr.tags.remove(self.random.choice(sorted(self.hr.tags)))
        return True

    def tag_changes_hands(self) -> bool:
        """Nobody who was in it is in it any more."""
        name = self._tag()
        if sum(tag == name for tag, _ in self.hr.tags) > 10:
            return False
        self.hr.tags = {pair for pair in self.hr.tags if pair[0] != name}
        self.hr.tags |= {(name, self._worker().emp_no), (name, self._worker().emp_no)}
        return True

    def new_tag(self) -> bool:
        name = f"新标签{self.hr.next()}"
        self.hr.tags |= {(name, self._worker().emp_no) for _ in range(4)} | {(name, self._hire().emp_no)}
        return True

    def dropped_tag(self) -> bool:
        name = self._tag()
        if sum(tag == name for tag, _ in self.hr.tags) > 10:
            return False
        self.hr.tags = {pair for pair in self.hr.tags if pair[0] != name}
        return True

    def grade_changes(self) -> bool:
        """The rule of a tag sees it."""
        for _ in range(3):
            self._worker().grade = self.random.randrange(7, 13)
        return True

    def _tag(self) -> str:
        return self.random.choice(sorted({tag for tag, _ in self.hr.tags}))

    # All that is plain

    def corrections(self) -> list[Callable[[], bool]]:
        return [
            self.title_corrected,
            self.title_emptied,
            self.alias_corrected,
            self.alias_emptied,
            self.name_corrected,
            self.leader_changes,
            self.leader_emptied,
        ]

    def title_corrected(self) -> bool:
        for _ in range(3):
            self._worker().title = f"职位{self.hr.next()}"
        return True

    def title_emptied(self) -> bool:
        self._worker(lambda row: row.title is not None).title = None
        return True

    def alias_corrected(self) -> bool:
        self._worker().alias = f"别名{self.hr.next()}"
        return True

    def alias_emptied(self) -> bool:
        self._worker(lambda row: row.alias is not None).alias = None
        return True

    def name_corrected(self) -> bool:
        self._worker().full_name = self.hr.person_name() + "改"
        return True

    def leader_changes(self) -> bool:
        self._worker().manager_no = self._worker().emp_no
        return True

    def leader_emptied(self) -> bool:
        """Which clears nothing: the policy does not name the field."""
        self._worker(lambda row: row.manager_no is not None).manager_no = None
        return True

    def _at_work(self) -> list[Employee]:
        """Everybody who was there yesterday and is there today."""
        return [row for row in self.hr.active(self.today) if row.hire_date < self.today]

    def _worker(self, suits: Callable[[Employee], bool] = lambda row: True) -> Employee:
        rows = [row for row in self._at_work() if row.emp_no not in self._reached and suits(row)]
        return self.random.choice(rows)
