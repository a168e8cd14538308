"""One morning in HR on which numbers, addresses and names of departments change hands, drawn by chance."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from tests.journeys.hr import HQ, Department, Employee
from tests.journeys.story import Story, email, mobile
from wxsync.model.change import Rejected
from wxsync.sandbox.identity import Call
from wxsync.sandbox.records import ROOT
from wxsync.sandbox.state import SandboxState

CONTACTS = ("mobile", "email")
UNITS = ("A", "B", "C", "A1", "A2", "B1")
NAMES = dict(zip(UNITS, ("甲部", "乙部", "丙部", "一组", "二组", "三组"), strict=True))
ABOVE = {"A": HQ, "B": HQ, "C": HQ, "A1": "A", "A2": "A", "B1": "B"}
PEOPLE = 12
BARE = ("E10", "E11")
"""They have a number and no address."""
ADDRESSED = "E12"
"""And this one an address and no number."""


def populate(story: Story) -> None:
    """A small tree, and people with contacts of each kind."""
    for code in UNITS:
        story.department(code, NAMES[code], ABOVE[code])
    for number in range(1, PEOPLE + 1):
        story.person(f"E{number}", dept=UNITS[number % len(UNITS)])
    for emp_no in BARE:
        story.hr.employees[emp_no].email = None
    story.hr.employees[ADDRESSED].mobile = None


def a_morning(story: Story, chance: random.Random) -> list[str]:
    """Some of everything; gives what happened, in words."""
    acts = [_rotate, _rotate, _recycle, _claim_twice, _chain, _withdraw, _names, _moves, _names_and_places]
    happened = []
    for act in chance.sample(acts, chance.randrange(1, 4)):
        happened.append(f"{act.__name__}: {act(story, chance)}")
    return happened


def _workers(story: Story) -> list[Employee]:
    return [row for row in story.hr.employees.values() if row.status == "active"]


def _holders(story: Story, name: str) -> list[Employee]:
    return [row for row in _workers(story) if getattr(row, name)]


def _rotate(story: Story, chance: random.Random) -> str:
    """Two, three or more give what they have to the next one."""
    name = chance.choice(CONTACTS)
    people = _holders(story, name)
    some = chance.sample(people, min(len(people), chance.choice((2, 2, 3, 5))))
    story.swap(name, *(row.emp_no for row in some))
    return f"{name} of {[row.emp_no for row in some]}"


def _recycle(story: Story, chance: random.Random) -> str:
    """What a leaver had goes to somebody who comes, or to somebody who is there."""
    name = chance.choice(CONTACTS)
    leaver = chance.choice(_holders(story, name))
    value = getattr(leaver, name)
    if chance.random() < 0.5:
        story.goes(leaver.emp_no)
    else:
        leaver.status = "left"
    if chance.random() < 0.6:
        heir = story.person(f"E{100 + len(story.hr.employees)}", dept=chance.choice(UNITS))
    else:
        heir = chance.choice(_workers(story))
    setattr(heir, name, value)
    return f"{name} of {leaver.emp_no} to {heir.emp_no}"


def _claim_twice(story: Story, chance: random.Random) -> str:
    """Somebody has what another one has and keeps."""
    name = chance.choice(CONTACTS)
    owner, thief = chance.sample(_holders(story, name), 2)
    setattr(thief, name, getattr(owner, name))
    return f"{name} of {owner.emp_no} by {thief.emp_no}"


def _chain(story: Story, chance: random.Random) -> str:
    """Each takes what the next one had; the last one gets something new."""
    name = chance.choice(CONTACTS)
    people = _holders(story, name)
    some = chance.sample(people, min(len(people), chance.randrange(2, 5)))
    for row, after in pairwise(some):
        setattr(row, name, getattr(after, name))
    number = 900 + len(story.hr.employees)
    setattr(some[-1], name, mobile(number) if name == "mobile" else email(number))
    return f"{name} along {[row.emp_no for row in some]}"


def _withdraw(story: Story, chance: random.Random) -> str:
    """HR has it for one no longer, and another one has it."""
    name = chance.choice(CONTACTS)
    former, heir = chance.sample(_holders(story, name), 2)
    setattr(heir, name, getattr(former, name))
    setattr(former, name, None)
    return f"{name} from {former.emp_no} to {heir.emp_no}"


def _units(story: Story) -> dict[str, Department]:
    return {code: row for code, row in story.hr.departments.items() if code in UNITS}


def _names(story: Story, chance: random.Random) -> str:
    """Some departments, wherever they are, change names in a circle."""
    units = _units(story)
    codes = chance.sample(list(units), chance.choice((2, 2, 3, 4)))
    before = {code: units[code].name for code in units}
    _turn(units, codes)
    if not _is_tree(story):
        for code, name in before.items():
            units[code].name = name
        return "none"
    return str(codes)


def _turn(units: Mapping[str, Department], codes: list[str]) -> None:
    names = [units[code].name for code in codes]
    for code, name in zip(codes, names[1:] + names[:1], strict=True):
        units[code].name = name


def _moves(story: Story, chance: random.Random) -> str:
    """One or two go elsewhere, maybe below one another."""
    units = _units(story)
    moved = []
    for code in chance.sample(list(units), chance.choice((1, 2))):
        before = units[code].parent_code
        units[code].parent_code = chance.choice([HQ, *(each for each in units if each != code)])
        if _is_tree(story):
            moved.append(code)
        else:
            units[code].parent_code = before
    return str(moved)


def _names_and_places(story: Story, chance: random.Random) -> str:
    """Two departments change names and parents with each other."""
    units = _units(story)
    one, two = chance.sample(list(units), 2)
    before = {code: (units[code].name, units[code].parent_code) for code in (one, two)}
    for code, other in ((one, two), (two, one)):
        name, parent = before[other]
        units[code].name = name
        units[code].parent_code = other if parent == code else parent
    if not _is_tree(story):
        for code, (name, parent) in before.items():
            units[code].name, units[code].parent_code = name, parent
        return "none"
    return f"{one} {two}"


def _is_tree(story: Story) -> bool:
    """Everything hangs below the company, and no siblings share a name."""
    rows = story.hr.departments
    for start in rows:
        code, seen = start, set[str]()
        while code != HQ:
            if code in seen:
                return False
            seen.add(code)
            code = str(rows[code].parent_code)
    places = [(row.parent_code, row.name) for row in rows.values()]
    return len(set(places)) == len(places)


@dataclass
class Owners:
    """Who had what, and who shall have it: told of every call, it finds whoever has anything else."""

    state: SandboxState
    wanted: Mapping[str, Employee]
    """Those who are wanted, by userid."""
    units: Mapping[int, tuple[str, str, int, str, int]]
    """Department id -> its code, and names and ids of the one above, before and after."""
    found: list[str] = field(default_factory=list)
    """In words; none is good."""
    calls: int = 0
    before: dict[str, tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.before = {userid: (each.mobile, each.email) for userid, each in self.state.members.items()}

    def __call__(self, call: Call) -> None:
        if call.is_write:
            self.calls += 1
            self.found += [f"after {call.path} {call.body}: {fault}" for fault in self.faults()]

    def faults(self) -> Iterator[str]:
        """Whoever has what is neither theirs by yesterday nor by today."""
        for userid, member in self.state.members.items():
            row = self.wanted.get(userid)
            for place, name in enumerate(CONTACTS):
                value = getattr(member, name)
                may_have = {"", self.before.get(userid, ("", ""))[place]}
                may_have |= {getattr(row, name) or ""} if row is not None else set()
                if value not in may_have:
                    yield f"{userid} has {name} {value}, of {sorted(may_have)}"
            if not member.mobile and not member.email:
                yield f"{userid} cannot be reached"
        foreign = {name for _, *names in self.units.values() for name in (names[0], names[2])}
        for id, (code, before, above, after, below) in self.units.items():
            unit = self.state.departments[id]
            if unit.name not in (before, after) and unit.name in foreign:
                yield f"{code} is called {unit.name}, which is another one's"
            if unit.parentid not in (above, below):
                yield f"{code} is below {unit.parentid}"


def owners_of(story: Story, today: date) -> Owners:
    """From what WeCom has to what the rows say."""
    state = story.wecom
    ids = {
        code: next(each.id for each in state.departments.values() if each.name == NAMES[code])
        for code in UNITS
    }
    ids[HQ] = ROOT
    rows = story.hr.departments
    units = {
        ids[code]: (
            code,
            NAMES[code],
            ids[ABOVE[code]],
            rows[code].name,
            ids[str(rows[code].parent_code)],
        )
        for code in UNITS
    }
    wanted = {row.emp_no.lower(): row for row in story.hr.wanted(today)}
    return Owners(state, wanted, units)


def unjustified(owners: Owners, rejected: tuple[Rejected, ...]) -> Iterator[str]:
    """Rejects that nothing stands behind, or that do not name everybody who is in it; none is good."""
    keys = {str(row.key).lower() for row in rejected}
    for row in rejected:
        userid, name, problem = str(row.key).lower(), str(row.field), str(row.problem)
        value = getattr(owners.wanted[userid], name)
        others = {
            each.emp_no
            for other, each in owners.wanted.items()
            if other != userid and getattr(each, name) == value
        }
        place = CONTACTS.index(name)
        holders = {
            other.upper()
            for other, had in owners.before.items()
            if other != userid
            and had[place] == value
            and getattr(owners.state.members.get(other), name, "") == value
        }
        match row.rule:
            case "duplicate_mobile" | "duplicate_email":
                missing = others if len(others) <= 3 else set()
                is_true = bool(others)
            case "taken":
                missing = holders
                is_true = len(holders) == 1
            case "cycle":
                circle = {str(each.key) for each in rejected if each.rule == "cycle" and each.field == name}
                missing = {str(row.key)}
                is_true = len(circle) > 1 and bool({key.upper() for key in keys} & circle)
            case _:
                missing, is_true = set(), False
        if not is_true:
            yield f"{row.key} {row.rule} {name}: nothing stands behind it"
        if lacking := {each for each in missing if each not in problem}:
            yield f"{row.key} {row.rule} {name}: {sorted(lacking)} are not named in {problem!r}"
        if value and value in problem:
            yield f"{row.key} {row.rule} {name}: the value is in its text"
