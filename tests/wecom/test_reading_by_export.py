"""An app reads a corp of many departments by export, and sees what it would see department by department."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from wxsync.errors import DeniedError
from wxsync.model.seen import ReadingWay, Seen
from wxsync.sandbox.seed import fill_corp
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App
from wxsync.sandbox.transport import SandboxTransport
from wxsync.wecom.client import open_transport
from wxsync.wecom.contacts import EXPORTED_WITHIN, Contacts
from wxsync.wecom.export import Exports
from wxsync.wecom.reader import EXPORTED_ABOVE, read_seen

SECRET = "app-secret-91"


@dataclass
class Sleeper:
    """Sleeps in no time, and lets the sandbox's clock go on instead."""

    state: SandboxState
    sleeps: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.state.forward(seconds)


def corp(departments: int, *, members: int = 400, **app) -> SandboxState:
    """Some hundred people in many departments, one of whom an app sees by name alone."""
    state = SandboxState(apps=(App(secret=SECRET, **app),), attributes={"工号": 0})
    fill_corp(state, members=members, departments=departments)
    state.add_department("别处", id=9001)
    state.add_member("lin", "林", department=(9001,), mobile="13911112222")
    return state


def read(state: SandboxState, sleeper: Sleeper | None = None) -> Seen:
    sleep = sleeper or Sleeper(state)

    async def story() -> Seen:
        transport = SandboxTransport(state)

        def opened(secret: str):
            return open_transport(
                corp_id=state.corp_id, secret=secret, base_url="http://sandbox", transport=transport
            )

        async with opened(state.contact_secret) as line, opened(SECRET) as app_line:
            exports = Exports(app_line, sleep=sleep, patience=EXPORTED_WITHIN)
            return await read_seen(
                Contacts(line), (), app=Contacts(app_line, exports=exports), way=ReadingWay.APP
            )

    return asyncio.run(story())


def calls_of_app(state: SandboxState) -> Counter[str]:
    made = Counter(call.path for call in state.log if call.who == "app:1000002")
    state.log.clear()
    return made


def by_department(state: SandboxState) -> Seen:
    """The same corp, with the export refused."""
    state.faults.answer("export/user", 48002, times=1)
    seen = read(state)
    assert calls_of_app(state)["user/list"] > EXPORTED_ABOVE
    return seen


@pytest.mark.parametrize("sees_sensitive", [True, False])
def test_it_shows_what_a_reading_by_department_shows(sees_sensitive: bool) -> None:
    """Everybody with every field, hidden or not, for a handful of calls instead of one a department."""
    state = corp(120, sees_sensitive=sees_sensitive)
    seen = read(state)
    made = calls_of_app(state)
    assert made["user/list"] == 0
    assert made.total() <= 6
    assert seen.way is ReadingWay.APP
    assert sum(member.shown is not None for member in seen.members) == 401
    assert seen == by_department(state)


def test_of_a_part_of_the_corp_it_shows_that_part() -> None:
    """Departments and single members outside the app's scope stay unseen in both ways alike."""
    scope = tuple(range(100, 170))
    state = SandboxState(apps=(App(secret=SECRET, scope=scope, scope_members=("p299",)),))
    for number in range(100, 300):
        state.add_department(f"部门{number}", id=number)
        state.add_member(f"p{number}", f"人{number}", department=(number, number - 1 if number > 100 else 1))
    seen = read(state)
    assert calls_of_app(state)["export/user"] == 1
    shown = {member.userid for member in seen.members if member.shown is not None}
    assert shown == {f"p{number}" for number in range(100, 171)}
    assert seen == by_department(state)


def test_a_few_departments_want_no_export() -> None:
    """A job is not begun where a call for each is as quick."""
    state = corp(EXPORTED_ABOVE - 10)
    read(state)
    made = calls_of_app(state)
    assert made["export/user"] == 0
    assert made["user/list"] > 10


def test_a_job_that_hangs_is_not_waited_for_long() -> None:
    """After two minutes the departments are read one by one; nobody is missing."""
    state = corp(120)
    state.job_faults.hang("export/user")
    sleeper = Sleeper(state)
    seen = read(state, sleeper)
    assert EXPORTED_WITHIN <= sum(sleeper.sleeps) <= EXPORTED_WITHIN + 10
    assert calls_of_app(state)["user/list"] > EXPORTED_ABOVE
    assert sum(member.shown is not None for member in seen.members) == 401


def test_a_job_that_fails_and_a_file_that_is_cut_are_done_without() -> None:
    """The same result by department."""
    state = corp(120)
    whole = read(state)
    state.job_faults.fail("export/user")
    assert read(state) == whole
    state.faults.http_status("export/file", 404, times=1)
    calls_of_app(state)
    assert read(state) == whole
    assert calls_of_app(state)["user/list"] > EXPORTED_ABOVE


def test_what_stops_every_call_stops_this_one_too() -> None:
    """An address that is not trusted is not hidden by falling back."""
    state = corp(120)
    state.faults.answer("export/user", 60020, times=5)
    state.faults.answer("user/list", 60020, times=1000)
    with pytest.raises(DeniedError):
        read(state)
