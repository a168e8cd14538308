"""The client against the sandbox, which has its own reading of the documentation and no code of ours."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from wxsync.errors import (
    ConflictError,
    DeniedError,
    FieldError,
    NotFoundError,
    StrayDepartmentError,
    WeComTransportError,
)
from wxsync.model.member import MemberWrite
from wxsync.sandbox.seed import fill_corp
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport
from wxsync.wecom.client import open_client
from wxsync.wecom.reader import read_seen
from wxsync.wecom.retries import Patience

QUICK = Patience(first_pause=0.001, longest_pause=0.001)
ZHANG = MemberWrite(userid="zhang", name="张三", mobile="13800000001", departments=(1,))


def run(state: SandboxState, act, *, secret=None, client_ip="127.0.0.1", timeouts=None):
    """What `act(contacts)` gives, against the corp in `state`."""

    async def story():
        transport = SandboxTransport(state, client_ip=client_ip)
        async with open_client(
            corp_id=state.corp_id,
            secret=state.contact_secret if secret is None else secret,
            base_url="http://sandbox",
            transport=transport,
            patience=QUICK,
            timeouts=timeouts or httpx.Timeout(5.0),
        ) as contacts:
            result = await act(contacts)
            await transport.finish()
            return result

    return asyncio.run(story())


def paths(state: SandboxState) -> list[str]:
    return [call.path for call in state.log if call.path != "gettoken"]


def test_a_member_arrives_field_by_field():
    """What a creation says is what the corp holds then."""
    state = SandboxState(attributes={"工号": 0}, mail_domain="corp.example")

    async def story(contacts):
        await contacts.create_department(id=5, name="研发", parent_id=1, order=77)
        await contacts.create_department(id=6, name="市场", parent_id=5, order=None)
        await contacts.create_member(
            MemberWrite(userid="boss", name="王", email="boss@example.com", departments=(1,))
        )
        await contacts.create_member(
            MemberWrite(
                userid="Zhang.San",
                name="张三",
                alias="San",
                mobile="13800000001",
                email="zs@example.com",
                departments=(6, 5),
                main_department=6,
                is_leader=(False, True),
                order=(3, 4),
                direct_leader="boss",
                position="工程师",
                gender="1",
                telephone="010-123",
                address="路 1",
                biz_mail="zs@corp.example",
                external_position="顾问",
                enable=False,
                extattr=(("工号", "A1"),),
            )
        )

    run(state, story)
    member = state.member("zhang.san")
    assert (member.userid, member.name, member.alias) == ("Zhang.San", "张三", "San")
    assert (member.mobile, member.email, member.biz_mail) == (
        "13800000001",
        "zs@example.com",
        "zs@corp.example",
    )
    assert (member.department, member.main_department) == ((6, 5), 6)
    assert (member.is_leader_in_dept, member.order) == ((0, 1), (3, 4))
    assert (member.direct_leader, member.position, member.gender) == (("boss",), "工程师", "1")
    assert (member.telephone, member.address, member.external_position) == ("010-123", "路 1", "顾问")
    assert (member.enable, member.extattr["工号"].value) == (0, "A1")
    assert (state.departments[5].name, state.departments[5].order, state.departments[6].parentid) == (
        "研发",
        77,
        5,
    )
    assert state.invitations == []


def test_an_update_changes_what_it_names():
    """None clears, UNKNOWN leaves alone, and the departments are replaced as one."""
    state = SandboxState(attributes={"工号": 0})

    async def story(contacts):
        await contacts.create_department(id=5, name="研发", parent_id=1, order=None)
        await contacts.create_member(
            MemberWrite(userid="boss", name="王", email="b@example.com", departments=(1,))
        )
        await contacts.create_member(
            MemberWrite(
                userid="zhang",
                name="张三",
                mobile="13800000001",
                email="zs@example.com",
                departments=(1,),
                position="工程师",
                direct_leader="boss",
                extattr=(("工号", "A1"),),
            )
        )
        await contacts.update_member(
            MemberWrite(
                userid="ZHANG",
                departments=(5, 1),
                main_department=5,
                is_leader=(True, False),
                order=(9, 8),
                email=None,
                position=None,
                direct_leader=None,
                extattr=(("工号", None),),
            )
        )

    run(state, story)
    member = state.member("zhang")
    assert (member.name, member.mobile, member.email, member.position) == ("张三", "13800000001", "", "")
    assert (member.department, member.is_leader_in_dept, member.order) == ((5, 1), (1, 0), (9, 8))
    assert (member.main_department, member.direct_leader, member.extattr) == (5, (), {})


def test_departments_move_and_go():
    """The root is renamed without a parent; a department moves, is renamed, and is deleted when empty."""
    state = SandboxState()

    async def story(contacts):
        await contacts.update_department(1, name="公司")
        for id, parent in ((5, 1), (6, 5)):
            await contacts.create_department(id=id, name=f"部{id}", parent_id=parent, order=None)
        with pytest.raises(ConflictError) as has_children:
            await contacts.delete_department(5)
        await contacts.update_department(6, parent_id=1, name="新", order=3)
        await contacts.delete_department(5)
        with pytest.raises(NotFoundError):
            await contacts.delete_department(5)
        with pytest.raises(ConflictError) as name_taken:
            await contacts.create_department(id=7, name="新", parent_id=1, order=None)
        return has_children.value.errcode, name_taken.value.errcode, name_taken.value.hint

    has_children, name_taken, hint = run(state, story)
    assert (has_children, name_taken) == (60006, 60008)
    assert "id: 6," in hint
    assert state.departments[1].name == "公司"
    assert (state.departments[6].name, state.departments[6].parentid, state.departments[6].order) == (
        "新",
        1,
        3,
    )
    assert 5 not in state.departments


def test_the_whole_corp_is_seen_as_it_is():
    """Departments, places and tags equal the corp's own, in as few calls as there are things to ask."""
    state = SandboxState()
    fill_corp(state, members=300, departments=20, tags=3)
    seen = run(state, lambda contacts: read_seen(contacts, set(state.tags)))
    assert {(d.id, d.parent_id, d.order) for d in seen.departments} == {
        (d.id, d.parentid, d.order) for d in state.departments.values()
    }
    assert {(m.userid, m.department_ids) for m in seen.members} == {
        (m.userid, frozenset(m.department)) for m in state.members.values()
    }
    assert {tag.id: tag.name for tag in seen.tags} == {tag.id: tag.name for tag in state.tags.values()}
    assert all(len(tag.userids or ()) == 10 for tag in seen.tags)
    assert paths(state) == [
        "department/simplelist",
        "user/list_id",
        "tag/list",
        "tag/get",
        "tag/get",
        "tag/get",
        "department/list",
    ]
    assert not any(call.is_write for call in state.log)


def test_a_corp_of_more_than_one_page():
    """10,000 rows a page: 12,000 members in two departments each are three pages of whole members."""
    state = SandboxState()
    other = state.add_department("研发").id
    for number in range(12_000):
        state.add_member(f"u{number}", "甲", department=(1, other), email=f"u{number}@example.com")
    members = run(state, lambda contacts: contacts.list_member_ids())
    assert len(members) == 12_000
    assert {member.department_ids for member in members} == {frozenset({1, other})}
    assert paths(state) == ["user/list_id"] * 3


def test_tag_members_by_the_thousand_with_refusals():
    """1,500 are two calls; those who do not exist come back, the others are in the tag."""
    state = SandboxState()
    for number in range(1_499):
        state.add_member(f"u{number}", "甲", email=f"u{number}@example.com")

    async def story(contacts):
        await contacts.create_tag("甲组", 9)
        everybody = [*(f"U{number}" for number in range(1_499)), "ghost"]
        refused = await contacts.add_tag_members(9, everybody)
        only_ghosts = await contacts.add_tag_members(9, ["ghost", "spook"])
        gone = await contacts.remove_tag_members(9, ["u1", "ghost"])
        none = await contacts.remove_tag_members(9, ["spook"])
        tag = await contacts.get_tag(9)
        return refused, only_ghosts, gone, none, tag

    refused, only_ghosts, gone, none, tag = run(state, story)
    assert (refused, only_ghosts, gone, none) == ({"ghost"}, {"ghost", "spook"}, {"ghost"}, {"spook"})
    assert (tag.name, len(tag.userids or ())) == ("甲组", 1_498)
    assert paths(state)[:3] == ["tag/create", "tag/addtagusers", "tag/addtagusers"]


def test_refusals_by_class():
    """Each code of the sandbox comes out as the class that the engine branches on."""
    state = SandboxState(creator="boss")
    state.add_member("boss", "王", mobile="13800000009", email="boss@example.com")

    async def refused(act):
        with pytest.raises((ConflictError, FieldError, NotFoundError)) as caught:
            await act
        return type(caught.value), caught.value.errcode

    async def story(contacts):
        return [
            await refused(
                contacts.create_member(MemberWrite(userid="BOSS", name="王", email="x@example.com"))
            ),
            await refused(contacts.create_member(MemberWrite(userid="li", name="李", mobile="13800000009"))),
            await refused(
                contacts.create_member(MemberWrite(userid="li", name="李", email="boss@example.com"))
            ),
            await refused(contacts.create_member(MemberWrite(userid="li", name="李"))),
            await refused(contacts.create_member(MemberWrite(userid="li", name="李", mobile="no"))),
            await refused(contacts.update_member(MemberWrite(userid="li", name="李"))),
            await refused(contacts.delete_member("li")),
            await refused(contacts.delete_member("boss")),
            await refused(contacts.create_department(id=5, name="研", parent_id=77, order=None)),
            await refused(contacts.delete_tag(5)),
        ]

    assert run(state, story) == [
        (ConflictError, 60102),
        (ConflictError, 60104),
        (ConflictError, 60106),
        (FieldError, 60129),
        (FieldError, 60103),
        (NotFoundError, 60111),
        (NotFoundError, 60111),
        (FieldError, 301005),
        (NotFoundError, 60004),
        (NotFoundError, 40068),
    ]


def test_a_lost_reply_of_a_creation():
    """The member is there, the caller learns that nobody knows, and there was one call."""
    state = SandboxState()
    state.faults.reset("user/create", after=True)
    with pytest.raises(WeComTransportError) as caught:
        run(state, lambda contacts: contacts.create_member(ZHANG))
    assert caught.value.is_ambiguous
    assert "zhang" in state.members
    assert paths(state) == ["user/create"]


def test_a_late_reply_of_a_creation():
    """A read time-out is as ambiguous as a broken line."""
    state = SandboxState()
    state.faults.delay("user/create", 0.2, after=True)
    with pytest.raises(WeComTransportError) as caught:
        run(state, lambda contacts: contacts.create_member(ZHANG), timeouts=httpx.Timeout(0.05))
    assert caught.value.is_ambiguous
    assert "zhang" in state.members


def test_a_lost_reply_of_a_deletion():
    """The second attempt meets nobody, which is what was wanted."""
    state = SandboxState()
    state.add_member("zhang", "张三", email="zs@example.com")
    state.faults.http_status("user/delete", 504, after=True)
    run(state, lambda contacts: contacts.delete_member("zhang"))
    assert state.members == {}
    assert paths(state) == ["user/delete", "user/delete"]


def test_an_unreachable_sandbox_is_tried_again():
    """Nothing was sent, so the creation is repeated, and made once."""
    state = SandboxState()
    state.faults.unreachable("user/create", times=2)
    run(state, lambda contacts: contacts.create_member(ZHANG))
    assert [call.is_carried_out for call in state.log if call.path == "user/create"] == [False, False, True]


@pytest.mark.parametrize(
    "code",
    [-1, 6000, 45033, 42001, 40014, pytest.param(45009, marks=pytest.mark.soak)],  # that one is a minute
)
def test_passing_refusals_do_not_reach_the_caller(code):
    """Busy, crowded, limited or another token: the creation is made, once."""
    state = SandboxState()
    state.faults.answer("user/create", code)
    run(state, lambda contacts: contacts.create_member(ZHANG))
    assert paths(state) == ["user/create", "user/create"]
    assert "zhang" in state.members


def test_tokens_that_end_in_the_middle():
    """Expired or revoked: each is renewed once, without a word."""
    state = SandboxState()

    async def story(contacts):
        await contacts.list_tags()
        state.expire_tokens()
        await contacts.list_tags()
        state.revoke_tokens()
        await asyncio.gather(*(contacts.list_tags() for _ in range(10)))

    run(state, story)
    assert [call.path for call in state.log].count("gettoken") == 3


def test_a_wrong_secret_makes_one_call():
    """However many calls are tried."""
    state = SandboxState()

    async def story(contacts):
        return await asyncio.gather(*(contacts.list_tags() for _ in range(50)), return_exceptions=True)

    failures = run(state, story, secret="wrong")
    assert {type(failure) for failure in failures} == {DeniedError}
    assert [call.path for call in state.log] == ["gettoken"]
    assert "wrong" not in str(failures[0])


def test_an_untrusted_address_is_told_what_to_do():
    """60020 names the address that WeCom saw; it is not repeated."""
    state = SandboxState(trusted_ips=("192.0.2.1",))
    with pytest.raises(DeniedError) as caught:
        run(state, lambda contacts: contacts.list_departments(), client_ip="203.0.113.9")
    assert caught.value.errcode == 60020
    assert "203.0.113.9" in str(caught.value.hint)
    assert "企业可信IP" in str(caught.value.hint)
    assert paths(state) == ["department/simplelist"]


def test_a_listing_that_loses_its_place():
    """50100 in the middle: the listing starts again and is whole."""
    state = SandboxState()
    fill_corp(state, members=20, departments=3)
    state.faults.answer("user/list_id", 50100)
    assert len(run(state, lambda contacts: contacts.list_member_ids())) == 20


def test_a_department_nobody_asked_for():
    """An unknown department id: WeCom makes one up, the member exists, and the error says both."""
    state = SandboxState()
    write = MemberWrite(userid="zhang", name="张三", mobile="13800000001", departments=(99,))
    with pytest.raises(StrayDepartmentError) as caught:
        run(state, lambda contacts: contacts.create_member(write))
    assert "zhang" in state.members
    assert set(caught.value.department_ids) <= set(state.departments)
    assert caught.value.department_ids


def test_a_warning_is_no_success():
    """errcode 0 with WeCom's warning about JSON raises, ambiguous, and is not repeated."""
    state = SandboxState()
    state.faults.warn("user/create")
    with pytest.raises(WeComTransportError) as caught:
        run(state, lambda contacts: contacts.create_member(ZHANG))
    assert caught.value.is_ambiguous
    assert paths(state) == ["user/create"]
