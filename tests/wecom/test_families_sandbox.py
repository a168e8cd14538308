"""The other families of calls against the sandbox, which has read the same documents by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from wxsync.errors import DeniedError, FieldError, NotFoundError, RateLimitError
from wxsync.model.job import DepartmentAction, JobKind, JobResult, JobStatus
from wxsync.model.lookup import MailKind, MemberStatus
from wxsync.model.unknown import UNKNOWN
from wxsync.sandbox.seed import fill_corp
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport
from wxsync.sandbox.verification import sign_in_code, verification_code
from wxsync.wecom.client import open_transport
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.export import Exports
from wxsync.wecom.invitations import Invitations
from wxsync.wecom.jobs import Jobs
from wxsync.wecom.lookups import Lookups
from wxsync.wecom.media import Media
from wxsync.wecom.network import Network
from wxsync.wecom.retries import Patience
from wxsync.wecom.verification import Verification
from wxsync.wecom.wire.invitations import NotInvited
from wxsync.wecom.wire.media import MediaType
from wxsync.wecom.wire.verification import SignedIn

QUICK = Patience(first_pause=0.001, longest_pause=0.001)
MEMBERS = "姓名,帐号,手机号,邮箱,所在部门,职位,性别,是否部门内领导,排序,别名,地址,座机,禁用\n"
PARTIES = "部门名称,部门ID,父部门ID,排序\n"


def run(state: SandboxState, act, *, is_app=False):
    """What `act(transport)` gives, against the corp in `state`."""

    async def story():
        line = SandboxTransport(state)
        async with open_transport(
            corp_id=state.corp_id,
            secret=state.apps[0].secret if is_app else state.contact_secret,
            base_url="http://sandbox",
            transport=line,
            patience=QUICK,
            timeouts=httpx.Timeout(5.0),
        ) as transport:
            result = await act(transport)
            await line.finish()
            return result

    return asyncio.run(story())


def a_corp(**switches) -> SandboxState:
    """A root, a department 2, and two members: zhang.san has activated, li has not."""
    state = SandboxState(**switches)
    state.add_department("研发", id=2)
    state.add_member(
        "Zhang.San",
        "张三",
        department=[1, 2],
        mobile="13800000001",
        email="zs@example.com",
        is_activated=True,
    )
    state.add_member("li", "李四", department=[2], mobile="13800000002")
    return state


async def _import(transport, kind: str, text: str) -> JobResult:
    media = await Media(transport).upload(MediaType.FILE, "文件.csv", text.encode())
    jobs = Jobs(transport)
    job_id = await getattr(jobs, kind)(media.media_id)
    for _ in range(3):
        result = await jobs.get_result(job_id)
    return result


def test_an_upload_is_what_was_sent():
    """The sandbox takes the multipart apart by itself: bytes, name and type arrive."""
    state = a_corp()
    content = bytes(range(256)) + b"\r\n--\r\n"
    kept = run(state, lambda transport: Media(transport).upload(MediaType.FILE, "入职 须知.pdf", content))
    [medium] = state.media.values()
    assert medium.content == content
    assert kept.media_id in state.media
    assert abs((datetime.now(UTC) - kept.created_at).total_seconds()) < 60


def test_members_are_imported():
    """One is created, one updated, one refused; and nobody is invited."""
    state = a_corp(jobs_by_polls=True)
    rows = MEMBERS + "王五,wang,13800000003,,2,工程师,男,0,5,,,,0\n李四四,li,13800000002,,2,,,,,,,,0\n"
    rows += "赵六,zhao,13800000001,,2,,,,,,,,0\n"
    result = run(state, lambda transport: _import(transport, "sync_members", rows))
    assert (result.status, result.kind) == (JobStatus.FINISHED, JobKind.SYNC_MEMBERS)
    assert {row.userid: row.errcode for row in result.members} == {"wang": 0, "li": 0, "zhao": 60104}
    assert state.member("wang").name == "王五"
    assert state.member("li").name == "李四四"
    assert state.invitations == []


def test_departments_are_replaced():
    """What was done to each, by bits; WeCom's own root is among them."""
    state = a_corp(jobs_by_polls=True)
    rows = PARTIES + "样例公司,1,0,\n研发部,2,1,\n市场,3,1,\n"
    result = run(state, lambda transport: _import(transport, "replace_departments", rows))
    actions = {row.department_id: row.action for row in result.departments if not row.errcode}
    assert result.kind is JobKind.REPLACE_DEPARTMENTS
    assert actions[3] & DepartmentAction.CREATED
    assert actions[2] & DepartmentAction.RENAMED
    assert (state.departments[2].name, state.departments[3].name) == ("研发部", "市场")


def test_an_import_that_deletes_too_many_fails():
    """The guard of WeCom: a result with 45026 and a hint, and everybody still there."""
    state = SandboxState(jobs_by_polls=True)
    fill_corp(state, members=200)
    rows = MEMBERS + "一,u00001,13900000001,,1,,,,,,,,0\n"
    result = run(state, lambda transport: _import(transport, "replace_members", rows))
    assert (result.status, result.errcode) == (JobStatus.FAILED, 45026)
    assert result.hint
    assert len(state.members) == 200


def test_a_job_that_fails_in_wecom_is_a_result():
    """302005 comes as a text."""
    state = a_corp(jobs_by_polls=True)
    state.job_faults.fail("batch/syncuser")
    result = run(state, lambda transport: _import(transport, "sync_members", MEMBERS + "王,wang,1,,2\n"))
    assert (result.status, result.errcode) == (JobStatus.FAILED, 302005)


def test_one_import_at_a_time_and_none_that_nobody_knows():
    """302008 for the second; 40088 for a job of nobody's."""
    state = a_corp(job_seconds=3600)

    async def twice(transport):
        media = await Media(transport).upload(MediaType.FILE, "a.csv", (MEMBERS + "王,wang,1,,2\n").encode())
        await Jobs(transport).sync_members(media.media_id)
        with pytest.raises(RateLimitError):
            await Jobs(transport).sync_members(media.media_id)
        with pytest.raises(NotFoundError):
            await Jobs(transport).get_result("3_1_1")
        with pytest.raises(FieldError):
            await Jobs(transport).sync_members("no-such-media")

    run(state, twice)


@pytest.mark.parametrize("count", [0, 3])
def test_a_corp_is_read_by_export(count):
    """Names, members, departments and a tag, each by an encrypted file, as the listings give them."""
    state = a_corp(jobs_by_polls=True)
    fill_corp(state, members=count)
    tag = state.add_tag("甲", ["li"])

    async def nobody_sleeps(seconds: float) -> None:
        await asyncio.sleep(0)

    async def read(transport):
        exports, lookups = Exports(transport, sleep=nobody_sleeps), Lookups(transport)
        names = await exports.read_simple_members(await exports.start_simple_members())
        members = await exports.read_members(await exports.start_members())
        departments = await exports.read_departments(await exports.start_departments())
        tagged = await exports.read_tag(await exports.start_tag(tag.id), tag.id)
        listed = [card for department in departments for card in await lookups.list_members(department.id)]
        named = await Contacts(transport).list_named_departments()
        return names, members, departments, tagged, listed, named

    names, members, departments, tagged, listed, named = run(state, read, is_app=True)
    assert {name.userid for name in names} == {member.userid for member in state.members.values()}
    assert dict(members) == {card.userid: card.shown for card in listed}
    assert set(departments) == set(named)
    assert [member.userid for member in tagged.members] == ["li"]
    assert (tagged.name, tagged.id) == ("甲", tag.id)


def test_contact_sync_exports_no_members():
    """48009, as from every new address."""
    with pytest.raises(DeniedError) as caught:
        run(a_corp(), lambda transport: Exports(transport).start_members())
    assert caught.value.errcode == 48009


def test_an_app_looks_things_up():
    """Who is there, by userid, by department and by tag; what is hidden from the app is unknown."""
    state = a_corp()
    state.member("zhang.san").openid = "oDOG"
    tag = state.add_tag("甲", ["li"])

    async def look(transport):
        lookups = Lookups(transport)
        card = await lookups.get_member("zhang.san")
        assert (card.userid, card.shown.name, card.status) == ("Zhang.San", "张三", MemberStatus.ACTIVATED)
        assert card.shown.mobile is UNKNOWN
        assert {name.userid for name in await lookups.list_member_names(2)} == {"Zhang.San", "li"}
        assert [each.id for each in await lookups.list_departments()] == [1, 2]
        assert (await lookups.get_department(2)).name == "研发"
        assert (await lookups.get_tag(tag.id)).members[0].userid == "li"
        assert tag.id in {each.id for each in await lookups.list_tags()}
        assert await lookups.to_openid("zhang.san") == "oDOG"
        assert await lookups.to_userid("oDOG") == "Zhang.San"
        with pytest.raises(FieldError, match="43004"):
            await lookups.to_openid("li")
        with pytest.raises(NotFoundError):
            await lookups.get_member("nobody")
        with pytest.raises(NotFoundError):
            await lookups.to_userid("nobody's")

    run(state, look, is_app=True)


def test_contact_sync_looks_things_up():
    """All ids, by page and by mobile; and what it alone may ask."""
    state = a_corp()

    async def look(transport):
        lookups = Lookups(transport)
        page = await lookups.list_member_ids(limit=2)
        rest = await lookups.list_member_ids(page.next_cursor, limit=2)
        rows = [*page.rows, *rest.rows]
        assert sorted(rows) == [("Zhang.San", 1), ("Zhang.San", 2), ("li", 2)]
        assert rest.next_cursor == ""
        assert [each.id for each in await lookups.list_department_ids(2)] == [2]
        assert await lookups.find_by_mobile("13800000001") == "Zhang.San"
        assert await lookups.find_by_email("zs@example.com", MailKind.PERSONAL) == "Zhang.San"
        assert (await lookups.get_join_qrcode()).startswith("http")
        assert await lookups.count_active(datetime.now(UTC).date() - timedelta(days=1)) >= 0
        with pytest.raises(NotFoundError):
            await lookups.find_by_mobile("13900000009")
        with pytest.raises(DeniedError):
            await lookups.get_member("li")

    run(state, look)


def test_second_verification():
    """A code, the member behind it, and in: both ways, each code once."""
    state = a_corp()

    async def verify(transport):
        calls = Verification(transport)
        code = verification_code(state, "li")
        factor = await calls.get_tfa_info(code)
        assert factor.userid == "li"
        with pytest.raises(FieldError):
            await calls.get_tfa_info(code)
        await calls.unlock(factor)
        await calls.accept("li")
        with pytest.raises(NotFoundError):
            await calls.accept("nobody")

    run(state, verify)
    assert state.member("li").is_activated


def test_signing_in():
    """A member by userid, somebody else by openid, and to an app only."""
    state = a_corp()
    inside, outside, third = (sign_in_code(state, "li"), sign_in_code(state, None, openid="o"), "no code")
    assert run(state, lambda line: Verification(line).get_user(inside), is_app=True) == SignedIn(userid="li")
    assert run(state, lambda line: Verification(line).get_user(outside), is_app=True) == SignedIn(openid="o")
    with pytest.raises(FieldError):
        run(state, lambda line: Verification(line).get_user(third), is_app=True)


def test_invitations():
    """The known ones are invited, the others given back."""
    state = a_corp()
    left_out = run(state, lambda line: Invitations(line).invite(["li", "nobody"], [99], [98]))
    assert left_out == NotInvited(
        userids=frozenset({"nobody"}), department_ids=frozenset({99}), tag_ids=frozenset({98})
    )
    assert state.invitations == ["li"]


def test_addresses_of_wecom():
    """Both lists are read, by any secret."""
    state = a_corp()
    for is_app in (False, True):
        for call in (Network.get_callback_ips, Network.get_api_domain_ips):
            assert run(state, lambda line, call=call: call(Network(line)), is_app=is_app)


def test_many_members_are_deleted_together_or_not_at_all():
    """One stale userid, and everybody stays."""
    state = a_corp()
    with pytest.raises(FieldError):
        run(state, lambda line: Contacts(line).delete_members(["li", "nobody"]))
    assert set(state.members) == {"zhang.san", "li"}
    run(state, lambda line: Contacts(line).delete_members(["li", "ZHANG.san"]))
    assert not state.members


def test_a_userid_that_wecom_made_up_is_changed_once():
    """Nobody else's is, and not a second time (301036)."""
    state = a_corp()
    state.add_member("x1a2b3", "王五", mobile="13800000005", has_generated_userid=True)
    run(state, lambda line: Contacts(line).change_userid("x1a2b3", "wang"))
    assert state.member("wang").name == "王五"
    for userid in ("wang", "li"):
        with pytest.raises(FieldError) as caught:
            run(state, lambda line, userid=userid: Contacts(line).change_userid(userid, "other"))
        assert caught.value.errcode == 301036


def test_tags_hold_departments():
    """Put in and taken out; those that do not exist are given back."""
    state = a_corp()

    async def story(transport):
        contacts = Contacts(transport)
        await contacts.create_tag("甲", 7)
        assert await contacts.add_tag_departments(7, [2, 99]) == {99}
        assert (await contacts.get_tag(7)).department_ids == {2}
        assert await contacts.add_tag_departments(7, [98, 99]) == {98, 99}
        assert await contacts.remove_tag_departments(7, [2, 99]) == {99}
        assert (await contacts.get_tag(7)).department_ids == frozenset()

    run(state, story)
