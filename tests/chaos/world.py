"""A company, its WeCom and wxsync, to which anything may happen; after each step the promises are looked at.

Every act takes one number, from which it draws all that it leaves open. So a world is told by its own number
and the list of its steps, and can be lived through again.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Set
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tests.chaos.clockwork import Clockwork
from tests.chaos.picture import Picture, Strangers, picture, removed, taken_away
from tests.chaos.process import apply_and_kill, some_moment
from tests.chaos.settled import Excused, differences
from tests.journeys.crash import die_at
from tests.journeys.days import LAST_DAY, every_case, these_cases
from tests.journeys.hr import Hr, found, hr_database
from tests.journeys.stage import described, failures, settings_of
from tests.sources.interrupted import Torn
from wxsync.config.settings import SqlSourceSettings, SyncSettings
from wxsync.errors import GuardError, StalePlanError, WxsyncError
from wxsync.model.batch_job import JobState
from wxsync.model.change import Kind
from wxsync.model.plan import Plan
from wxsync.model.run import Run, RunState
from wxsync.sandbox.job_progress import settle as work_off
from wxsync.sandbox.records import ROOT
from wxsync.sandbox.state import SandboxState
from wxsync.sources.sql import SqlSource

PROTECTED: Final = "svc-robot"
LIMITS: Final[dict[str, Any]] = {
    "member_remove": {"percent": 10, "floor": 3, "max": 50},
    "member_create": {"percent": 20, "floor": 6},
    "member_update": {"percent": 50, "floor": 12},
    "field_change": {"percent": 40, "floor": 8},
    "department_delete": 3,
    "department_move": {"percent": 10, "floor": 3},
    "tag_member_remove": {"percent": 20, "floor": 8},
    "source_shrink": {"percent": 15, "floor": 4},
}
WRITES: Final = (
    "user/create",
    "user/update",
    "user/delete",
    "department/create",
    "department/update",
    "department/delete",
    "tag/create",
    "tag/addtagusers",
    "tag/deltagusers",
    "batch/syncuser",
    "media/upload",
)
READS: Final = ("gettoken", "user/list_id", "department/simplelist", "tag/list", "tag/get", "batch/getresult")
DOUBLED: Final = {60102: "user/create", 40071: "tag/create"}
"""What WeCom answers where something is asked to be made a second time."""
PACED: Final = "nobody knows what it holds: to be written in a later run, {runs} in all"
"""After a crash values may be unknown, and more of them than the limits let one run write."""
TANGLED: Final = ("cycle", "taken")
"""Rules of rejects that several days at once may bring about, however good each of them is."""


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass
class World:
    """One company."""

    folder: Path
    seed: int
    steps: list[tuple[str, int]] = field(default_factory=list)
    """What has happened so far."""
    kills: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        chance = random.Random(self.seed)
        self.url = f"sqlite:///{self.folder / 'hr.db'}"
        self.hr: Hr = found(self.seed, members=26, departments=9, tags=2, levels=4)
        self.state = SandboxState(job_seconds=chance.choice((0.0, 0.02)))
        policy: dict[str, Any] = {
            "method": chance.choice(("single", "single", "batch", "auto")),
            "protect": [PROTECTED, "boss"],
            "leavers": chance.choice(("disable", "disable", "delete")),
        }
        if policy["leavers"] == "disable" and chance.random() < 0.5:
            policy["delete_after_days"] = 3
        self.asked: dict[str, Any] = {
            "hr_url": self.url,
            "mirror": str(self.folder / "mirror.db"),
            "policy": policy,
            "limits": LIMITS,
        }
        self.stage = Clockwork(settings_of(**{**self.asked, "mirror": self.folder / "mirror.db"}), self.state)
        self.strangers = Strangers()
        self.excused: set[str] = set()
        """Userids that are as they are for a reason of their own."""
        self.moved: set[str] = set()
        self.disabled: set[str] = set()
        """Whom a hand disabled, and who were wanted ever since."""
        self.tagged: set[tuple[str, str]] = set()
        self.wanted: list[set[str]] = []
        """Userids that the source wanted, in each of its states since the last clean run."""
        self.ever: set[str] = set()
        self.has_been_applied = False
        self.was_faulty = False
        """Since the last clean run some call met a fault, or may have."""
        self.serial = 0
        self.last: Run | None = None
        self._make_strangers()
        self._save()
        if chance.random() < 0.7:
            self.calm(0)

    def act(self, name: str, number: int) -> None:
        """One step, and everything that was promised about it."""
        self.steps.append((name, number))
        getattr(self, name)(number)
        self._must_be_empty("", self.strangers.touched(picture(self.state)))
        self._must_be_empty("invited", self.state.invitations)
        self._must_be_empty("doubled", self._doubled())

    # The source

    def a_day_in_hr(self, number: int) -> None:
        """Something of what a day brings."""
        chance = self._chance(number)
        self.hr.random = chance
        cases = chance.sample(sorted(every_case() - {LAST_DAY}), chance.choice((1, 2, 4)))
        these_cases(self.hr, self.stage.today, cases)
        self._save()

    def a_mass_change(self, number: int) -> None:
        """More than anybody should let pass unasked: half leave, all get another title, many come."""
        chance = self._chance(number)
        self.hr.random = chance
        people = self.hr.active(self.stage.today)
        match chance.randrange(3):
            case 0 if len(people) > 20:
                for row in chance.sample(people, len(people) // 4):
                    row.status = "left"
            case 1:
                for row in people:
                    row.title = f"职位{self.hr.next()}"
            case _:
                if len(self.hr.employees) < 90:
                    for _ in range(chance.randrange(5, 10)):
                        self.hr.add_employee(chance.choice(list(self.hr.departments)), self.stage.today)
        self._save()

    def a_torn_reading(self, number: int) -> None:
        """A run whose reading is not proven complete takes nothing away from anybody."""
        settings = self.stage.settings.source["hr"]
        assert isinstance(settings, SqlSourceSettings)
        is_clean = self._is_clean()
        before = self._picture()
        self.stage.sources = [Torn(SqlSource("hr", settings))]
        try:
            self._run()
        finally:
            self.stage.sources = None
        if is_clean:
            self._must_be_empty("torn", taken_away(before, self._picture()))

    # WeCom

    def a_hand(self, number: int) -> None:
        """Somebody does something in the console."""
        chance = self._chance(number)
        hands: list[Callable[[random.Random], None]] = [
            self._hand_adds_somebody,
            self._hand_adds_a_department,
            self._hand_adds_a_tag,
            self._hand_takes_a_userid,
            self._hand_disables,
            self._hand_moves,
            self._hand_puts_into_a_foreign_department,
            self._hand_deletes,
            self._hand_tags,
        ]
        chance.choice(hands)(chance)

    def a_fault(self, number: int) -> None:
        """Some of the next calls meet something."""
        chance = self._chance(number)
        self.was_faulty = True
        path = chance.choice((*WRITES, *WRITES, *READS))
        timing: dict[str, Any] = {
            "times": chance.choice((1, 1, 2, 5)),
            "skip": chance.choice((0, 0, 1, 3, 8)),
        }
        faults, is_after = self.state.faults, chance.random() < 0.5
        match chance.randrange(9):
            case 0 | 1:
                faults.reset(path, after=is_after, **timing)
            case 2:
                faults.http_status(path, chance.choice((500, 502, 504)), after=is_after, **timing)
            case 3:
                faults.answer(path, chance.choice((-1, 60103, 60103, 45033, 40014)), **timing)
            case 4:
                faults.cut(path, after=is_after, **timing)
            case 5:
                faults.answer(path, chance.choice((60020, 48002, 60011)), **timing)
            case 6:
                faults.unreachable(path, **timing)
            case 7:
                faults.html(path, after=is_after, **timing)
            case _:
                self.state.job_faults.fail_rows("batch/syncuser", chance.choice((-1, 60103)), every=3)

    # Time

    def hours_pass(self, number: int) -> None:
        self.stage.later(hours=self._chance(number).choice((1, 5, 14)))

    def days_pass(self, number: int) -> None:
        self.stage.later(days=self._chance(number).choice((1, 1, 2, 5)))
        self._note_wanted()

    # wxsync

    def a_plan(self, number: int) -> None:
        """A dry run; `Stage` looks that it makes no write call."""
        before = self._picture()
        try:
            self.stage.plan()
        except WxsyncError as error:
            self._must_be_due_to_a_fault(error)
        if self._picture() != before:
            raise Broken("a plan changed something")

    def a_run(self, number: int) -> None:
        """Unapproved; right after a clean one nothing is left."""
        is_faulty = self._is_faulty()
        run = self._run()
        is_whole = run is not None and run.state is RunState.APPLIED and not _is_paced(run)
        if run is not None and is_whole and not is_faulty and not failures(run):
            self._must_be_empty("left", described(self.stage.plan().plan.writes))

    def an_approved_run(self, number: int) -> None:
        """Somebody says yes to the plan as it is."""
        try:
            digest = self.stage.plan().plan.digest
        except WxsyncError as error:
            self._must_be_due_to_a_fault(error)
            return
        self._run(approved=digest)

    def a_death(self, number: int) -> None:
        """The run ends at some call, with the mirror as the disk has it."""
        chance = self._chance(number)
        self._note_wanted()
        before = self._before()
        with suppress(WxsyncError):  # it may end of itself before
            die_at(self.stage, chance.randrange(12), is_after=chance.random() < 0.5)
        self._after(before, is_approved=False)

    def a_kill(self, number: int) -> None:
        """A process of its own, killed by -9; where there is nothing to do, a day in HR comes before it."""
        chance = self._chance(number)
        plan = self._planned()
        if plan is None or not plan.writes:
            self.state.faults.clear()
            self.a_day_in_hr(number)
            plan = self._planned()
        before = self._before()
        approved = plan.digest if plan is not None and (plan.exceeded or chance.random() < 0.2) else None
        moment = some_moment(chance, plan)
        asked = {"settings": self.asked, "now": self.stage.now.isoformat(), "approved": approved}
        self.kills += apply_and_kill(self.folder, asked, self.state, moment) == -9
        self.stage.later(minutes=5)
        self._after(before, is_approved=approved is not None)

    def _planned(self) -> Plan | None:
        self._note_wanted()
        try:
            return self.stage.plan().plan
        except WxsyncError as error:
            self._must_be_due_to_a_fault(error)
            return None

    def calm(self, number: int) -> None:
        """No faults any more: one run, approved where it must be, does everything; the next plans nothing."""
        self.state.faults.clear()
        self.state.job_faults.clear()
        run = self._run_well()
        while _is_paced(run):
            run = self._run_well()
        if run.state is not RunState.APPLIED:
            raise Broken(f"calm, and {run.state}: {run.error}")
        self.has_been_applied = True
        self._must_be_empty("failed", (each for each in failures(run) if not self._is_excused(each)))
        self._must_be_empty("left", described(self.stage.plan().plan.writes))
        rejected = [row for row in run.plan.rejected if row.rule in TANGLED]
        tangled = {str(row.key).lower() for row in rejected}
        tangled |= self._homeless({str(row.key) for row in rejected if row.kind is Kind.DEPARTMENT})
        excused = Excused(
            people=self.excused | tangled,
            disabled=self.disabled,
            units=self.strangers.units.keys(),
            held={str(row.key) for row in run.plan.rejected if row.kind is Kind.DEPARTMENT},
            tags=self.strangers.tags.keys(),
            tagged=self.tagged,
        )
        self._must_be_empty("differs", differences(self.state, self.hr, self.stage.today, excused))
        self.wanted, self.was_faulty = self.wanted[-1:], False

    def _homeless(self, units: Set[str]) -> set[str]:
        """Whose department cannot be had, or is below one: they are kept as they are."""
        there = self.hr.departments.keys()
        return {
            emp_no.lower()
            for emp_no, row in self.hr.employees.items()
            if any(not units.isdisjoint(self.hr.above(code)) for code in self.hr.codes_of(row) & there)
        }

    def _run_well(self) -> Run:
        """Approved only where it must be."""
        before = self._before()
        try:
            self.last, is_approved = self.stage.apply(), False
        except GuardError:
            self.last, is_approved = self.stage.apply(approved=self.stage.plan().plan.digest), True
        self._note_wanted()
        self._after(before, is_approved=is_approved)
        return self.last

    # What a run may do

    def _run(self, *, approved: str | None = None) -> Run | None:
        self._note_wanted()
        before = self._before()
        run = None
        try:
            self.last = run = self.stage.apply(approved=approved)
        except (GuardError, StalePlanError):
            if self._is_clean() and removed(before[0], self._picture()) != removed(before[0], before[0]):
                raise Broken("a refused run wrote something") from None
        except WxsyncError as error:
            self._must_be_due_to_a_fault(error)
        self._after(before, is_approved=approved is not None)
        self.has_been_applied |= run is not None and run.state is RunState.APPLIED
        return run

    def _before(self) -> tuple[Picture, bool]:
        return self._picture(), self._is_clean()

    def _after(self, before: tuple[Picture, bool], *, is_approved: bool) -> None:
        now, (then, was_clean) = self._picture(), before
        change = removed(then, now)
        self._must_be_empty("unwarranted", change.unwarranted([*map(frozenset, self.wanted)], self.ever))
        for userid in self.disabled & now.people.keys():
            if now.people[userid].is_enabled:
                raise Broken(f"{userid} was disabled by a hand, and is enabled")
        if was_clean and not is_approved and not self._goes_on_by_a_yes():
            ours = len(then.people.keys() - self.strangers.people.keys())
            units = len(then.units.keys() - self.strangers.units.keys()) - 1
            limits = self._sync().limits
            beyond = change.beyond(limits, ours, units, is_first=not self.has_been_applied)
            self._must_be_empty("beyond", beyond)

    def _doubled(self) -> Iterator[str]:
        """WeCom was asked to make again what wxsync had made; none is good."""
        for call in self.state.log:
            if DOUBLED.get(call.errcode or 0) != call.path or not self._is_own(call.body or {}):
                continue
            yield f"{call.path} {call.body}: {call.errcode}"
        self.state.log.clear()

    def _is_own(self, body: Any) -> bool:
        return str(body.get("userid", "")).lower() not in self.strangers.people

    # Hands

    def _make_strangers(self) -> None:
        """Some who were there before: one of them protected, and a department and a tag of their own."""
        unit = self.state.add_department("外部部门")
        self.state.add_member("boss", "老板", mobile="13700000001", department=[unit.id])
        self.state.add_member(PROTECTED, "机器人", email="robot@example.com")
        tag = self.state.add_tag("外部标签", ["boss"])
        self._know(people=("boss", PROTECTED), units=(unit.id,), tags=(tag.id,))

    def _know(
        self, *, people: tuple[str, ...] = (), units: tuple[int, ...] = (), tags: tuple[int, ...] = ()
    ) -> None:
        """These are not wxsync's, as they are now."""
        now = picture(self.state)
        self.strangers.people |= {userid: now.people[userid] for userid in people}
        self.strangers.units |= {id: now.units[id] for id in units}
        self.strangers.tags |= {id: now.tags[id] for id in tags}
        self.excused.update(people)

    def _hand_adds_somebody(self, chance: random.Random) -> None:
        self.serial += 1
        userid = f"guest{self.serial}"
        place = chance.choice(sorted(self.state.departments))
        self.state.add_member(userid, "访客", mobile=f"136{self.serial:08d}", department=[place])
        self._know(people=(userid,))

    def _hand_adds_a_department(self, chance: random.Random) -> None:
        self.serial += 1
        above = chance.choice(sorted(self.state.departments))
        if self._depth(above) < 10:
            self._know(units=(self.state.add_department(f"手工{self.serial}", above).id,))

    def _hand_adds_a_tag(self, chance: random.Random) -> None:
        """With people of ours in it, of whom nobody leaves before they are deleted."""
        self.serial += 1
        self._know(tags=(self.state.add_tag(f"手工标签{self.serial}", ["boss"]).id,))

    def _hand_takes_a_userid(self, chance: random.Random) -> None:
        """Of somebody whom HR has and WeCom does not have yet, in a department where they will not be."""
        absent = [
            row.emp_no
            for row in self.hr.employees.values()
            if row.emp_no.lower() not in self.state.members and row.emp_no.lower() not in self.ever
        ]
        if absent:
            userid = chance.choice(sorted(absent)).lower()
            unit = next(iter(self.strangers.units))
            self.state.add_member(userid, "同名", mobile=f"135{self.hr.next():08d}", department=[unit])
            self._know(people=(userid,))

    def _hand_disables(self, chance: random.Random) -> None:
        userid = self._somebody(chance)
        if userid is not None and userid in self._wanted_now() and self.state.members[userid].enable:
            self.state.set_status(userid, 2)
            self.disabled.add(userid)

    def _hand_moves(self, chance: random.Random) -> None:
        """Into another department of ours, which the next run takes back; twice would be a quarrel."""
        userid = self._somebody(chance)
        if userid is not None and userid not in self.moved:
            ours = self.state.departments.keys() - self.strangers.units.keys()
            others = sorted(ours - set(self.state.members[userid].department))
            self.moved.add(userid)
            self.state.move_member(userid, [chance.choice(others)])

    def _hand_puts_into_a_foreign_department(self, chance: random.Random) -> None:
        userid = self._somebody(chance)
        if userid is not None and userid not in self.moved:
            self.moved.add(userid)
            member, unit = self.state.members[userid], chance.choice(sorted(self.strangers.units))
            before = member.placement
            after = replace(
                before,
                department=(*before.department, unit),
                order=(*before.order, 0),
                is_leader_in_dept=(*before.is_leader_in_dept, 0),
            )
            self.state.directory.place(member, after)

    def _hand_deletes(self, chance: random.Random) -> None:
        userid = self._somebody(chance)
        if userid is not None:
            self.state.remove_member(userid)
            self.excused.add(userid)
            self.disabled.discard(userid)

    def _hand_tags(self, chance: random.Random) -> None:
        userid = self._somebody(chance)
        ours = sorted(self.state.tags.keys() - self.strangers.tags.keys())
        if userid is not None and ours:
            tag = self.state.tags[chance.choice(ours)]
            if userid not in tag.users:
                self.state.tag_members(tag.id, [userid])
                self.tagged.add((tag.name, userid))

    def _somebody(self, chance: random.Random) -> str | None:
        ours = sorted(self.state.members.keys() - self.strangers.people.keys() - self.excused)
        return chance.choice(ours) if ours else None

    def _depth(self, id: int) -> int:
        depth = 1
        while id != ROOT:
            id, depth = self.state.departments[id].parentid, depth + 1
        return depth

    # Odds and ends

    def _chance(self, number: int) -> random.Random:
        return random.Random(f"{self.seed} {len(self.steps)} {number}")

    def _sync(self) -> SyncSettings:
        return self.stage.settings.sync["acme"]

    def _save(self) -> None:
        with hr_database(self.url) as engine:
            self.hr.save(engine)
        self._note_wanted()

    def _wanted_now(self) -> set[str]:
        return {row.emp_no.lower() for row in self.hr.wanted(self.stage.today)}

    def _note_wanted(self) -> None:
        now = self._wanted_now()
        if not self.wanted or self.wanted[-1] != now:
            self.wanted.append(now)
        self.ever |= now
        self.disabled &= now  # a leaver is wxsync's to disable, and to enable

    def _picture(self) -> Picture:
        work_off(self.state)
        return picture(self.state)

    def _is_faulty(self) -> bool:
        return bool(self.state.faults.waiting or self.state.job_faults.waiting)

    def _is_clean(self) -> bool:
        """No earlier run left a job that may still do something."""
        mirror = self.folder / "mirror.db"
        if not mirror.exists():
            return True
        states = [state.value for state in JobState if state.is_open]
        with closing(sqlite3.connect(mirror)) as connection:
            query = f"SELECT count(*) FROM batch_jobs WHERE state IN ({', '.join('?' * len(states))})"
            return connection.execute(query, states).fetchone() == (0,)

    def _goes_on_by_a_yes(self) -> bool:
        """The last run went by what somebody had said before: it does what an approved one left."""
        with closing(sqlite3.connect(self.folder / "mirror.db")) as connection:
            query = "SELECT approved_by FROM runs WHERE verb <> 'plan' ORDER BY id DESC LIMIT 1"
            last = connection.execute(query).fetchone()
        return last is not None and last[0] is not None

    def _must_be_due_to_a_fault(self, error: WxsyncError) -> None:
        """Nothing goes wrong by itself."""
        if not self.was_faulty:
            raise Broken(f"without any fault: {error.message}")

    def _is_excused(self, failure: str) -> bool:
        """In words, of one who is as they are for a reason of their own, or in a tangle of several days."""
        words = failure.split()
        return any(rule in words for rule in TANGLED) or any(
            userid.upper() in words for userid in self.excused
        )

    def _must_be_empty(self, what: str, found: Any) -> None:
        if listed := list(found):
            raise Broken(f"{what}: {listed}")


def _is_paced(run: Run) -> bool:
    return any(change.why.template == PACED for change in run.plan.changes)


ACTS: Final = (
    "a_day_in_hr",
    "a_mass_change",
    "a_torn_reading",
    "a_hand",
    "a_fault",
    "hours_pass",
    "days_pass",
    "a_plan",
    "a_run",
    "an_approved_run",
    "a_death",
    "a_kill",
    "calm",
)
"""Every step that there is."""


def relive(folder: Path, seed: int, steps: list[tuple[str, int]]) -> World:
    """The same world once more."""
    world = World(folder, seed)
    for name, number in steps:
        world.act(name, number)
    return world
