"""The list of calls that read: each makes WeCom's call of that name and no other, and none writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from wxsync.errors import NotFoundError
from wxsync.model.lookup import MemberCard, MemberPage, TagCard
from wxsync.sandbox.app import OPERATIONS
from wxsync.sandbox.codes import CodeKind
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App
from wxsync.sandbox.transport import SandboxTransport
from wxsync.wecom.call_table import NEVER, READS, WRITES, ExportProgress
from wxsync.wecom.calls import ArgumentError, Reads, Secret, to_given
from wxsync.wecom.chats import Chats
from wxsync.wecom.client import open_transport
from wxsync.wecom.export import Exports
from wxsync.wecom.jobs import Jobs
from wxsync.wecom.media import Media
from wxsync.wecom.wire.media import MediaType

APP_SECRET = "app-secret-77"
CHAT = "wxchat01"
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
UNCLASSED = {"user/getuserinfo", "auth/getuserdetail"}
"""Calls of WeCom that the client does not make."""


def corp() -> SandboxState:
    """Somebody of every kind that a call could ask for."""
    state = SandboxState(apps=(App(secret=APP_SECRET, sees_sensitive=True),), legacy_ip=True, job_seconds=0)
    state.add_department("研发部", id=2)
    state.add_member("lin", "林", department=(2,), mobile="13800000001")
    state.add_member("wang", "王", department=(2,), mobile="13800000002")
    state.add_tag("导师", ["lin"], id=7)
    state.add_customer("lin")
    state.add_customer_chat("lin")
    return state


def looked(state: SandboxState, path: str, *words: str, secret: Secret | None = None) -> object:
    """What the call gives, with the secret that the list names first."""
    call = READS[path]
    chosen = secret or call.secrets[0]

    async def story() -> object:
        async with open_transport(
            corp_id=state.corp_id,
            secret=APP_SECRET if chosen is Secret.APP else state.contact_secret,
            base_url="http://sandbox",
            transport=SandboxTransport(state),
        ) as line:
            return await Reads(line).ask(call, to_given(call, words))

    return asyncio.run(story())


def chat(state: SandboxState) -> str:
    _begun(state, lambda line: Chats(line).create(CHAT, ["lin", "wang"], name="一组"), APP_SECRET)
    return f"chatid={CHAT}"


Words = Callable[[SandboxState], tuple[str, ...]]


def said(*words: str) -> Words:
    return lambda _state: words


ARGUMENTS: dict[str, Words] = {
    "user/get": said("userid=LIN"),
    "user/simplelist": said("department_id=2"),
    "user/list": said("department_id=2"),
    "user/list_id": said("limit=1"),
    "user/getuserid": said("mobile=13800000001"),
    "user/get_userid_by_email": said("email=lin@example.com", "email_type=2"),
    "user/convert_to_openid": lambda state: (state.bind_wechat("lin") and "userid=lin",),
    "user/convert_to_userid": lambda state: (f"openid={state.bind_wechat('lin')}",),
    "user/get_active_stat": said(f"date={YESTERDAY}"),
    "auth/getuserinfo": lambda state: (f"code={sign_in(state)}",),
    "department/list": said("id=2"),
    "department/simplelist": said(),
    "department/get": said("id=2"),
    "tag/list": said(),
    "tag/get": said("tagid=7"),
    "corp/get_join_qrcode": said("size_type=2"),
    "batch/getresult": lambda state: (f"jobid={imported(state)}",),
    "export/simple_user": said(),
    "export/user": said(),
    "export/department": said(),
    "export/taguser": said("tagid=7"),
    "export/get_result": lambda state: (f"jobid={exported(state)}",),
    "appchat/get": lambda state: (chat(state),),
    "message/get_statistics": said("time_type=1"),
    "externalcontact/get_follow_user_list": said(),
    "externalcontact/list": said("userid=lin"),
    "externalcontact/get_unassigned_list": said(),
    "externalcontact/resigned/transfer_result": said("handover_userid=lin", "takeover_userid=wang"),
    "externalcontact/transfer_result": said("handover_userid=lin", "takeover_userid=wang"),
    "externalcontact/groupchat/list": said("status=0", "owner=lin"),
    "getcallbackip": said(),
    "get_api_domain_ip": said(),
}
FOUND_NONE = {"user/get_userid_by_email"}
"""Nobody has what is asked for: WeCom's refusal is the answer."""


def sign_in(state: SandboxState) -> str:
    return state.codes.issue(CodeKind.SIGN_IN, state.member("lin"), state.clock())


def imported(state: SandboxState) -> str:
    return _begun(state, lambda line: _import(Jobs(line), Media(line)))


async def _import(jobs, media) -> str:
    content = "姓名,帐号,手机号,邮箱,所在部门\n林,lin,13800000001,,2\n".encode()
    return await jobs.sync_members((await media.upload(MediaType.FILE, "members.csv", content)).media_id)


def exported(state: SandboxState) -> str:
    async def begin(line) -> str:
        return (await Exports(line).start_members()).id

    return _begun(state, begin, APP_SECRET)


def _begun(state: SandboxState, act, secret: str | None = None) -> str:
    async def story() -> str:
        async with open_transport(
            corp_id=state.corp_id,
            secret=secret or state.contact_secret,
            base_url="http://sandbox",
            transport=SandboxTransport(state),
        ) as line:
            return await act(line)

    return asyncio.run(story())


@pytest.mark.parametrize("path", READS)
def test_each_makes_the_call_of_its_name_and_writes_nothing(path: str) -> None:
    """By WeCom's own log: the call of that name, and beside it only what waits for an export."""
    state = corp()
    words = ARGUMENTS[path](state)
    state.log.clear()
    try:
        found = looked(state, path, *words)
        assert found is not None
    except NotFoundError:
        assert path in FOUND_NONE
    made = [call.path for call in state.log if call.path != "gettoken"]
    assert made[0] == path
    assert set(made[1:]) <= {"export/get_result"}
    assert not [call for call in state.log if call.is_write]


def test_every_call_of_wecom_has_its_place() -> None:
    """It reads, or it writes, or what it gives is a secret; nothing is in two lists."""
    assert {*OPERATIONS, "gettoken"} - UNCLASSED == {*READS, *WRITES, *NEVER}
    assert not READS.keys() & (WRITES | NEVER)
    assert {path for path, operation in OPERATIONS.items() if operation.is_write} <= WRITES | UNCLASSED


def test_what_it_gives_are_records() -> None:
    """Ours, with what this secret may see."""
    state = corp()
    member = looked(state, "user/get", "userid=Lin")
    assert isinstance(member, MemberCard)
    assert (member.userid, member.shown.mobile) == ("lin", "13800000001")
    tag = looked(state, "tag/get", "tagid=7")
    assert isinstance(tag, TagCard)
    assert (tag.name, [one.userid for one in tag.members]) == ("导师", ["lin"])
    page = looked(state, "user/list_id", "limit=1")
    assert isinstance(page, MemberPage)
    assert len(page.rows) == 1
    assert looked(state, "user/list_id", f"cursor={page.next_cursor}", "limit=1") == MemberPage(
        rows=(("wang", 2),), next_cursor=""
    )


def test_the_address_of_an_export_is_not_shown() -> None:
    """How far it is, how many files and bytes: whoever has the address has everybody."""
    state = corp()
    found = looked(state, "export/get_result", f"jobid={exported(state)}")
    assert isinstance(found, ExportProgress)
    assert found.files == 1
    assert found.bytes > 0
    assert not any("http" in str(value) for value in (found.status, found.files, found.bytes))


@pytest.mark.parametrize(
    ("path", "words", "complaint"),
    [
        ("user/get", [], "wants userid=…"),
        ("user/get", ["lin"], "written name=value"),
        ("user/get", ["usrid=lin"], "no argument 'usrid'; it has userid"),
        ("tag/list", ["id=1"], "no argument 'id'; it has none"),
        ("user/get", ["userid=a", "userid=b"], "given twice"),
        ("user/get", ["userid="], "userid is empty"),
        ("tag/get", ["tagid=seven"], "tagid is not a whole number"),
        ("tag/get", ["tagid=-7"], "tagid is not a whole number"),
        ("corp/get_join_qrcode", ["size_type=9"], "size_type is one of 1, 2, 3, 4"),
        ("user/get_active_stat", ["date=yesterday"], "not a day like"),
    ],
)
def test_arguments_that_do_not_fit(path: str, words: list[str], complaint: str) -> None:
    """What is wrong is said, before any call and without the value."""
    with pytest.raises(ArgumentError, match=complaint.replace("=…", "=")):
        to_given(READS[path], words)


def test_nothing_of_the_reader_writes() -> None:
    """One public method: to ask. A line is not to be had from it."""
    assert [name for name in vars(Reads) if not name.startswith("_")] == ["ask"]
