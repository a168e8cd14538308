"""The three ways of reading, against the sandbox."""

from __future__ import annotations

import asyncio
from collections import Counter

from wxsync.model.seen import ReadingWay, Seen, ShownMember
from wxsync.model.unknown import UNKNOWN
from wxsync.sandbox.records import Attribute, Placement
from wxsync.sandbox.seed import fill_corp
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App
from wxsync.sandbox.transport import SandboxTransport
from wxsync.wecom.client import open_client
from wxsync.wecom.reader import read_seen

OLD_APP = App(secret="old-app", sees_sensitive=True)
NEW_APP = App(secret="new-app", sees_sensitive=False)
HIDDEN = ("mobile", "email", "biz_mail", "gender", "address")


def read(state: SandboxState, *, way: ReadingWay | None = None, secret: str | None = None) -> Seen:
    """The corp as contact sync sees it, with the app of `secret` beside it."""

    async def story() -> Seen:
        transport = SandboxTransport(state)

        def opened(secret: str):
            return open_client(
                corp_id=state.corp_id, secret=secret, base_url="http://sandbox", transport=transport
            )

        async with opened(state.contact_secret) as contacts:
            if secret is None:
                return await read_seen(contacts, (), way=way)
            async with opened(secret) as app:
                return await read_seen(contacts, (), app=app, way=way)

    return asyncio.run(story())


def calls(state: SandboxState) -> dict[str, int]:
    """How often each way of asking for details was tried, since the log began."""
    counted = Counter(
        f"{call.who} {call.path}" for call in state.log if call.path in ("department/list", "user/list")
    )
    state.log.clear()
    return dict(counted)


def corp(*, legacy_ip: bool = False, app: App = NEW_APP) -> SandboxState:
    """300 people in 20 departments, one of them in detail."""
    state = SandboxState(legacy_ip=legacy_ip, apps=(app,), attributes={"工号": 0})
    fill_corp(state, members=300, departments=20)
    other = state.add_department("总部", id=900)
    state.add_member("Lin.Mei", "林梅", department=(1, other.id), mobile="13800000001")
    lin = state.member("lin.mei")
    state.directory.place(lin, Placement((1, other.id), (0, 7), (0, 1), other.id))
    lin.position, lin.extattr["工号"], lin.direct_leader = "总监", Attribute(0, "E1"), ("u00001",)
    return state


def held(state: SandboxState) -> int:
    return sum(1 for department in state.departments.values() if department.members)


def shown_of(seen: Seen, userid: str) -> ShownMember:
    [shown] = [member.shown for member in seen.members if member.userid == userid]
    assert shown is not None
    return shown


LIN = ShownMember(
    name="林梅",
    alias=None,
    mobile="13800000001",
    email=None,
    position="总监",
    gender=None,
    telephone=None,
    address=None,
    biz_mail=None,
    departments=frozenset({1, 900}),
    main_department=900,
    is_leader=(900,),
    order=((1, 0), (900, 7)),
    direct_leader="u00001",
    enable=True,
    is_activated=False,
    extattr=(("工号", "E1"),),
)


def ids_of(seen: Seen) -> set[tuple[str, frozenset[int]]]:
    return {(member.userid, member.department_ids) for member in seen.members}


def test_ids_alone():
    """48009 is a way: everybody by id and place, nothing by name, and one call more than without trying."""
    state = corp()
    seen = read(state)
    assert seen.way is ReadingWay.IDS
    assert len(seen.members) == 301
    assert {member.shown for member in seen.members} == {None}
    assert {department.name for department in seen.departments} == {UNKNOWN}
    assert calls(state) == {"contact department/list": 1}
    assert read(state, way=ReadingWay.IDS) == seen
    assert calls(state) == {}


def test_contact_sync_from_an_old_address():
    """Everything is shown, empty values as empty: one call for names, one a department with people."""
    state = corp(legacy_ip=True)
    seen = read(state, secret=NEW_APP.secret)
    assert seen.way is ReadingWay.CONTACT
    assert shown_of(seen, "Lin.Mei") == LIN
    assert {member.userid: member.shown.mobile for member in seen.members if member.shown} == {
        member.userid: member.mobile for member in state.members.values()
    }
    assert {department.id: department.name for department in seen.departments} == {
        department.id: department.name for department in state.departments.values()
    }
    assert calls(state) == {"contact department/list": 1, "contact user/list": held(state)}
    assert read(state, way=ReadingWay.CONTACT) == seen


def test_an_app_from_before_2022():
    """It is shown as much; contact sync is tried first, and not at all where the way is known."""
    state = corp(app=OLD_APP)
    seen = read(state, secret=OLD_APP.secret)
    assert seen.way is ReadingWay.APP
    assert shown_of(seen, "Lin.Mei") == LIN
    app = {"app:1000002 department/list": 1, "app:1000002 user/list": held(state)}
    assert calls(state) == {"contact department/list": 1, **app}
    assert read(state, way=ReadingWay.APP, secret=OLD_APP.secret) == seen
    assert calls(state) == app


def test_an_app_of_today_hides_what_it_hides():
    """Phone number, e-mail and the like are UNKNOWN and never None; what is shown as empty is None."""
    state = corp()
    seen = read(state, secret=NEW_APP.secret)
    assert seen.way is ReadingWay.APP
    for member in seen.members:
        assert member.shown is not None
        assert [getattr(member.shown, name) for name in HIDDEN] == [UNKNOWN] * len(HIDDEN)
        assert member.shown.alias is None
    lin = shown_of(seen, "Lin.Mei")
    assert (lin.name, lin.position, lin.order) == (LIN.name, LIN.position, LIN.order)
    assert (lin.is_leader, lin.direct_leader, lin.extattr) == (LIN.is_leader, LIN.direct_leader, LIN.extattr)


def test_who_there_is_does_not_depend_on_the_way():
    """Ids and places are of the one complete listing, whatever else is shown."""
    everybody = ids_of(read(corp()))
    assert ids_of(read(corp(legacy_ip=True))) == everybody
    assert ids_of(read(corp(), secret=NEW_APP.secret)) == everybody


def test_status_tells_who_has_activated():
    """1 and 4 tell it; of the disabled and those who left nobody knows."""
    state = corp(legacy_ip=True)
    found = {}
    for status in (1, 2, 4, 5):
        state.set_status("lin.mei", status)
        shown = shown_of(read(state), "Lin.Mei")
        found[status] = (shown.enable, shown.is_activated)
    assert found == {1: (True, True), 2: (False, UNKNOWN), 4: (True, False), 5: (True, UNKNOWN)}


def test_an_address_that_grew_new_is_another_way():
    """CONTACT no longer works: the app is found, and without one only ids are left."""
    state = corp()
    assert read(state, way=ReadingWay.CONTACT, secret=NEW_APP.secret).way is ReadingWay.APP
    assert calls(state)["contact department/list"] == 1
    assert read(state, way=ReadingWay.CONTACT).way is ReadingWay.IDS
    assert calls(state) == {"contact department/list": 1}


def test_an_app_that_lost_its_right_is_another_way():
    """Contact sync is tried where the app is refused, for the names or for a department's people."""
    for legacy_ip, way in ((True, ReadingWay.CONTACT), (False, ReadingWay.IDS)):
        for path, errcode in (("department/list", 60011), ("department/list", 48002), ("user/list", 48002)):
            state = corp(legacy_ip=legacy_ip)
            state.faults.answer(path, errcode)
            seen = read(state, way=ReadingWay.APP, secret=NEW_APP.secret)
            assert (seen.way, len(seen.members)) == (way, 301)
            assert all((member.shown is not None) is legacy_ip for member in seen.members)


def test_an_app_that_is_configured_no_more_is_another_way():
    """APP is remembered, and nobody brings an app: what else there is."""
    assert read(corp(), way=ReadingWay.APP).way is ReadingWay.IDS
    assert read(corp(legacy_ip=True), way=ReadingWay.APP).way is ReadingWay.CONTACT


def test_departments_are_read_ten_at_once():
    """No more calls are under way together than the transport lets out, and none fewer."""
    state = corp(legacy_ip=True)
    state.latency = 0.01
    read(state)
    assert state.most_at_once == 10


def test_nothing_is_written():
    """Reading, by any way, is reading."""
    state = corp(legacy_ip=True)
    for way in (None, *ReadingWay):
        read(state, way=way, secret=NEW_APP.secret)
    assert state.writes == []
