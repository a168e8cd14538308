"""Every call of every family, with the answer that WeCom's documents give for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import httpx

from tests.wecom.line import BASE, CORP, SECRET, Clock
from wxsync.model.member import MemberWrite
from wxsync.wecom.auth import TokenStore
from wxsync.wecom.chats import Chats
from wxsync.wecom.client import api_url
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.content import Receivers as To
from wxsync.wecom.content import ReplacedButton, Text
from wxsync.wecom.crypto import encrypt_export
from wxsync.wecom.customers import Customers
from wxsync.wecom.export import Exports
from wxsync.wecom.invitations import Invitations
from wxsync.wecom.jobs import Jobs
from wxsync.wecom.lookups import Lookups
from wxsync.wecom.media import Media
from wxsync.wecom.messages import Messages
from wxsync.wecom.network import Network
from wxsync.wecom.quota import Quota
from wxsync.wecom.retries import Patience
from wxsync.wecom.transport import Transport
from wxsync.wecom.verification import Verification
from wxsync.wecom.webhook import Webhook
from wxsync.wecom.webhook_content import WebhookText
from wxsync.wecom.wire.customers import ChatHandover, Handover
from wxsync.wecom.wire.export import ExportFile, ExportJob
from wxsync.wecom.wire.media import MediaType
from wxsync.wecom.wire.verification import SecondFactor

KEY = "a" * 43
ONCE = Patience(
    reconnects=0, busy_repeats=0, crowded_repeats=0, limit_waits=0, token_repeats=0, lag_repeats=0
)
"""What answers in WeCom's place answers the same again."""

Act = Callable[[Any], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """One method of one family: where it goes, what it gets, and how it is called."""

    family: type
    method: str
    path: str
    answer: dict[str, Any]
    act: Act
    is_refused: bool = False
    """The documented answer is one that we do not take."""

    def __str__(self) -> str:
        return f"{self.family.__name__}.{self.method}"


MEMBER = {
    "userid": "zhang.san",
    "name": "张三",
    "department": [2, 7],
    "order": [0, 5],
    "position": "工程师",
    "mobile": "13800000001",
    "gender": "1",
    "email": "zs@example.com",
    "is_leader_in_dept": [0, 1],
    "direct_leader": ["boss"],
    "avatar": "https://wecom.test/0",
    "telephone": "020-123456",
    "enable": 1,
    "alias": "jack",
    "address": "广州",
    "extattr": {"attrs": [{"type": 0, "name": "工号", "value": "A1", "text": {"value": "A1"}}]},
    "status": 1,
    "qr_code": "https://wecom.test/q",
    "external_position": "总监",
    "main_department": 2,
    "biz_mail": "zs@corp.wecom.work",
}
DEPARTMENT = {
    "id": 2,
    "name": "研发",
    "name_en": "RD",
    "department_leader": ["a"],
    "parentid": 1,
    "order": 10,
}
IDS = {"department_id": [{"id": 1, "parentid": 0, "order": 9}, {"id": 2, "parentid": 1, "order": 10}]}
NAMES = {"userlist": [{"userid": "a", "name": "甲", "department": [1, 2]}]}
TAG = {"tagname": "甲", "userlist": [{"userid": "a", "name": "甲"}], "partylist": [2]}
TAGS = {"taglist": [{"tagid": 1, "tagname": "甲"}]}
PAGE = {"dept_user": [{"userid": "a", "department": 1}, {"userid": "b", "department": 2}], "next_cursor": ""}
PARTLY = {"invalidlist": "usr1|usr2|a", "invalidparty": [2, 4]}
LISTED = {"data_list": [{"url": f"{BASE}/cgi-bin/file", "size": 32, "md5": "0" * 32}], "status": 2}
FILES: dict[str, dict[str, Any]] = {
    "read_simple_members": NAMES,
    "read_members": {"userlist": [MEMBER]},
    "read_departments": {"department": [DEPARTMENT]},
    "read_tag": TAG,
}
CREATED = {"created_department_list": {"department_info": [{"name": "待设置", "id": 123}]}}
WRITE = MemberWrite(userid="a", name="甲", departments=(1,))
JOB = ExportJob(id="jobid_1", encoding_aes_key=KEY)
TO = To(userids=("a", "B"))
SENT = {"invaliduser": "b|c", "invalidparty": "1|2", "invalidtag": "3", "unlicenseduser": "d", "msgid": "m"}
MEDIA = {"type": "file", "media_id": "3a8", "created_at": "1780000000"}
CHAT = {"chat_info": {"chatid": "c1", "name": "群", "owner": "a", "userlist": ["a", "b"]}}
LEFT = {"handover_userid": "a", "external_userid": "e", "dimission_time": 1600000000}


def refused(case: Case) -> Case:
    return replace(case, is_refused=True)


def _contacts() -> list[Case]:
    def case(method: str, path: str, answer: dict[str, Any], act: Act) -> Case:
        return Case(Contacts, method, path, answer, act)

    return [
        case("create_department", "department/create", {"id": 7}, _create_department),
        case(
            "update_department", "department/update", {}, lambda calls: calls.update_department(7, name="b")
        ),
        case("delete_department", "department/delete", {}, lambda calls: calls.delete_department(7)),
        case("list_departments", "department/simplelist", IDS, lambda calls: calls.list_departments()),
        refused(case("create_member", "user/create", CREATED, lambda calls: calls.create_member(WRITE))),
        case("update_member", "user/update", {}, lambda calls: calls.update_member(WRITE)),
        case("change_userid", "user/update", {}, lambda calls: calls.change_userid("a", "b")),
        case("set_mail_aliases", "user/update", {}, lambda calls: calls.set_mail_aliases("a", ["b@c.d"])),
        case("delete_member", "user/delete", {}, lambda calls: calls.delete_member("a")),
        case("delete_members", "user/batchdelete", {}, lambda calls: calls.delete_members(["a", "b"])),
        case("list_member_ids", "user/list_id", PAGE, lambda calls: calls.list_member_ids()),
        case(
            "list_named_departments",
            "department/list",
            {"department": [DEPARTMENT]},
            lambda calls: calls.list_named_departments(),
        ),
        case("list_members_of", "user/list", {"userlist": [MEMBER]}, lambda calls: calls.list_members_of(2)),
        case("list_tags", "tag/list", TAGS, lambda calls: calls.list_tags()),
        case("get_tag", "tag/get", TAG, lambda calls: calls.get_tag(1)),
        case("create_tag", "tag/create", {"tagid": 12}, lambda calls: calls.create_tag("a", 12)),
        case("rename_tag", "tag/update", {}, lambda calls: calls.rename_tag(12, "b")),
        case("delete_tag", "tag/delete", {}, lambda calls: calls.delete_tag(12)),
        case(
            "add_tag_members", "tag/addtagusers", PARTLY, lambda calls: calls.add_tag_members(1, ["a", "b"])
        ),
        case(
            "remove_tag_members", "tag/deltagusers", PARTLY, lambda calls: calls.remove_tag_members(1, ["a"])
        ),
        case(
            "add_tag_departments", "tag/addtagusers", PARTLY, lambda calls: calls.add_tag_departments(1, [2])
        ),
        case(
            "remove_tag_departments",
            "tag/deltagusers",
            PARTLY,
            lambda calls: calls.remove_tag_departments(1, [2, 3]),
        ),
    ]


async def _create_department(calls: Contacts) -> None:
    await calls.create_department(id=7, name="研发", parent_id=1, order=1)


def _lookups() -> list[Case]:
    def case(method: str, path: str, answer: dict[str, Any], act: Act) -> Case:
        return Case(Lookups, method, path, answer, act)

    departments = {"department": [DEPARTMENT]}
    email = "user/get_userid_by_email"
    qr = {"join_qrcode": "https://wecom.test/join"}
    return [
        case("get_member", "user/get", MEMBER, lambda calls: calls.get_member("a")),
        case("list_member_names", "user/simplelist", NAMES, lambda calls: calls.list_member_names(2)),
        case("list_members", "user/list", {"userlist": [MEMBER]}, lambda calls: calls.list_members(2)),
        case("list_member_ids", "user/list_id", PAGE, lambda calls: calls.list_member_ids()),
        case(
            "find_by_mobile",
            "user/getuserid",
            {"userid": "a"},
            lambda calls: calls.find_by_mobile("13800000001"),
        ),
        case("find_by_email", email, {"userid": "a"}, lambda calls: calls.find_by_email("a@b.c")),
        case("to_openid", "user/convert_to_openid", {"openid": "oDOG"}, lambda calls: calls.to_openid("a")),
        case("to_userid", "user/convert_to_userid", {"userid": "a"}, lambda calls: calls.to_userid("oDOG")),
        case(
            "count_active",
            "user/get_active_stat",
            {"active_cnt": 100},
            lambda calls: calls.count_active(date(2026, 3, 1)),
        ),
        case("list_departments", "department/list", departments, lambda calls: calls.list_departments()),
        case("list_department_ids", "department/simplelist", IDS, lambda calls: calls.list_department_ids(2)),
        case(
            "get_department",
            "department/get",
            {"department": DEPARTMENT},
            lambda calls: calls.get_department(2),
        ),
        case("list_tags", "tag/list", TAGS, lambda calls: calls.list_tags()),
        case("get_tag", "tag/get", TAG, lambda calls: calls.get_tag(1)),
        case("get_join_qrcode", "corp/get_join_qrcode", qr, lambda calls: calls.get_join_qrcode()),
    ]


def _people() -> list[Case]:
    factor = {"userid": "a", "tfa_code": "t"}
    user = {"userid": "a", "user_ticket": "t", "openid": "o", "external_userid": "e"}
    left_out = {"invaliduser": ["x"], "invalidparty": [9], "invalidtag": [3]}
    second = SecondFactor(userid="a", tfa_code="t")
    return [
        Case(
            Verification, "get_tfa_info", "auth/get_tfa_info", factor, lambda calls: calls.get_tfa_info("c")
        ),
        Case(Verification, "accept", "user/authsucc", {}, lambda calls: calls.accept("a")),
        Case(Verification, "unlock", "user/tfa_succ", {}, lambda calls: calls.unlock(second)),
        Case(Verification, "get_user", "auth/getuserinfo", user, lambda calls: calls.get_user("c")),
        Case(Invitations, "invite", "batch/invite", left_out, lambda calls: calls.invite(["a"], [1], [1])),
    ]


def _files_and_addresses() -> list[Case]:
    lists = {"ip_list": ["192.0.2.1", "198.51.100.0/25", "203.0.113.*", "2001:db8::/32"]}
    job = {"jobid": "3_1559620211_296300"}
    members = [
        {"userid": "a", "errcode": 0, "errmsg": ""},
        {"userid": "b", "errcode": "60104", "errmsg": "m"},
    ]
    result = {"status": 3, "type": "sync_user", "total": 2, "percentage": 100, "result": members}
    rows = [{"action": 10, "partyid": 1, "errcode": 0, "errmsg": "ok"}]
    departments = {"status": 3, "type": "replace_party", "total": 1, "percentage": 100, "result": rows}
    return [
        Case(Network, "get_callback_ips", "getcallbackip", lists, lambda calls: calls.get_callback_ips()),
        Case(
            Network,
            "get_api_domain_ips",
            "get_api_domain_ip",
            lists,
            lambda calls: calls.get_api_domain_ips(),
        ),
        Case(
            Media,
            "upload",
            "media/upload",
            MEDIA,
            lambda calls: calls.upload(MediaType.FILE, "a.csv", b"123456"),
        ),
        Case(Jobs, "sync_members", "batch/syncuser", job, lambda calls: calls.sync_members("m")),
        Case(Jobs, "replace_members", "batch/replaceuser", job, lambda calls: calls.replace_members("m")),
        Case(
            Jobs,
            "replace_departments",
            "batch/replaceparty",
            job,
            lambda calls: calls.replace_departments("m"),
        ),
        Case(Jobs, "get_result", "batch/getresult", result, lambda calls: calls.get_result("j")),
        Case(Jobs, "get_result", "batch/getresult", departments, lambda calls: calls.get_result("j")),
    ]


def _exports() -> list[Case]:
    job = {"jobid": "jobid_1"}

    def case(method: str, path: str, answer: dict[str, Any], act: Act) -> Case:
        return Case(Exports, method, path, answer, act)

    file = ExportFile(url=f"{BASE}/cgi-bin/file", size=32, md5="0" * 32)
    return [
        case("start_simple_members", "export/simple_user", job, lambda calls: calls.start_simple_members()),
        case("start_members", "export/user", job, lambda calls: calls.start_members()),
        case("start_departments", "export/department", job, lambda calls: calls.start_departments()),
        case("start_tag", "export/taguser", job, lambda calls: calls.start_tag(1)),
        case("get_result", "export/get_result", LISTED, lambda calls: calls.get_result(JOB)),
        refused(case("read_members", "export/get_result", LISTED, lambda calls: calls.read_members(JOB))),
        refused(case("download", "file", {}, lambda calls: calls.download(JOB, file))),
        case(
            "read_simple_members",
            "file",
            FILES["read_simple_members"],
            lambda calls: calls.read_simple_members(JOB),
        ),
        case("read_members", "file", FILES["read_members"], lambda calls: calls.read_members(JOB)),
        case(
            "read_departments", "file", FILES["read_departments"], lambda calls: calls.read_departments(JOB)
        ),
        case("read_tag", "file", FILES["read_tag"], lambda calls: calls.read_tag(JOB, 1)),
    ]


def _messages() -> list[Case]:
    text, hook = Text(content="hello"), WebhookText(content="hello")
    counts = {"statistics": [{"agentid": 1, "app_name": "a", "count": 101}]}
    button = ReplacedButton(replace_name="done")
    return [
        Case(
            Chats, "create", "appchat/create", {"chatid": "c1"}, lambda calls: calls.create("c1", ["a", "b"])
        ),
        Case(Chats, "update", "appchat/update", {}, lambda calls: calls.update("c1", add=["c"])),
        Case(Chats, "get", "appchat/get", CHAT, lambda calls: calls.get("c1")),
        Case(Chats, "send", "appchat/send", {}, lambda calls: calls.send("c1", text)),
        Case(
            Messages,
            "send",
            "message/send",
            {**SENT, "response_code": "r"},
            lambda calls: calls.send(text, TO),
        ),
        Case(
            Messages,
            "update_template_card",
            "message/update_template_card",
            {"invaliduser": ["b"]},
            lambda calls: calls.update_template_card("r", button, TO),
        ),
        Case(Messages, "recall", "message/recall", {}, lambda calls: calls.recall("m")),
        Case(
            Messages,
            "get_statistics",
            "message/get_statistics",
            counts,
            lambda calls: calls.get_statistics(),
        ),
        Case(Webhook, "send", "webhook/send", {}, lambda calls: calls.send(hook)),
        Case(
            Webhook,
            "upload_media",
            "webhook/upload_media",
            MEDIA,
            lambda calls: calls.upload_media(MediaType.FILE, "a.csv", b"123456"),
        ),
    ]


def _customers() -> list[Case]:
    def case(method: str, path: str, answer: dict[str, Any], act: Act) -> Case:
        return Case(Customers, method, f"externalcontact/{path}", answer, act)

    begun = {"customer": [{"external_userid": "e", "errcode": 40096}]}
    taken = {
        "customer": [{"external_userid": "e", "status": 1, "takeover_time": 1600000000}],
        "next_cursor": "",
    }
    chats = {"group_chat_list": [{"chat_id": "c", "status": 0}], "next_cursor": ""}
    failed = {"failed_chat_list": [{"chat_id": "c", "errcode": 90500, "errmsg": "no"}]}
    left, job = Handover.RESIGNED, Handover.ON_THE_JOB
    return [
        case(
            "get_follow_user_list",
            "get_follow_user_list",
            {"follow_user": ["a"]},
            lambda calls: calls.get_follow_user_list(),
        ),
        case("list_of", "list", {"external_userid": ["e"]}, lambda calls: calls.list_of("a")),
        case(
            "get_unassigned_list",
            "get_unassigned_list",
            {"info": [LEFT], "is_last": True, "next_cursor": ""},
            lambda calls: calls.get_unassigned_list(),
        ),
        case(
            "transfer",
            "resigned/transfer_customer",
            begun,
            lambda calls: calls.transfer(left, "a", "b", ["e"]),
        ),
        case("transfer", "transfer_customer", begun, lambda calls: calls.transfer(job, "a", "b", ["e"])),
        case("results", "resigned/transfer_result", taken, lambda calls: calls.results(left, "a", "b")),
        case("results", "transfer_result", taken, lambda calls: calls.results(job, "a", "b")),
        case("list_chats", "groupchat/list", chats, lambda calls: calls.list_chats()),
        case(
            "transfer_chats",
            "groupchat/transfer",
            failed,
            lambda calls: calls.transfer_chats(ChatHandover.RESIGNED, ["c"], "b"),
        ),
        case(
            "transfer_chats",
            "groupchat/onjob_transfer",
            failed,
            lambda calls: calls.transfer_chats(ChatHandover.ON_THE_JOB, ["c"], "b"),
        ),
    ]


def _tokens() -> list[Case]:
    answer = {"access_token": "tok-secret-1", "expires_in": 7200}
    return [Case(Contacts, "list_tags", "gettoken", answer, lambda calls: calls.list_tags())]


GROUPS = {
    "contacts": _contacts(),
    "lookups": _lookups(),
    "people": _people(),
    "files_and_addresses": _files_and_addresses(),
    "exports": _exports(),
    "messages": _messages(),
    "customers": _customers(),
    "tokens": _tokens(),
}
CASES = [case for cases in GROUPS.values() for case in cases]
FAMILIES = (
    Contacts,
    Lookups,
    Verification,
    Invitations,
    Network,
    Media,
    Jobs,
    Exports,
    Chats,
    Messages,
    Customers,
    Webhook,
)


RIGHT = {case.path: case.answer for case in CASES}


class Impostor:
    """Something in WeCom's place: it answers the call of one case with anything, and all others rightly."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.client = httpx.AsyncClient(base_url=api_url(BASE), transport=httpx.MockTransport(self._answer))
        self._case = CASES[0]
        self._reply = httpx.Response(200)
        self._sealed = b""

    async def meet(self, case: Case, reply: httpx.Response) -> object:
        """What the call of `case` gives where `reply` is the answer to it."""
        self._case, self._reply = case, reply
        if case.path == "file":
            self._sealed = encrypt_export(reply.content, KEY)
        async with self._family(case) as family:
            return await case.act(family)

    @asynccontextmanager
    async def _family(self, case: Case) -> AsyncIterator[object]:
        if case.family is Webhook:
            yield Webhook(self.client, "key", patience=ONCE, sleep=self.clock.sleep, clock=self.clock)
            return
        store = TokenStore(self.client, corp_id=CORP, secret=SECRET, clock=self.clock, sleep=self.clock.sleep)
        counted = Quota(corp_id=CORP, longest_wait=60, clock=self.clock, sleep=self.clock.sleep)
        async with counted as quota, aclosing(store):
            transport = Transport(
                self.client, store, quota=quota, patience=ONCE, clock=self.clock, sleep=self.clock.sleep
            )
            if case.family is Messages:
                yield Messages(transport, agent_id=1000002)
            elif case.family is Exports:
                yield Exports(transport, sleep=self.clock.sleep)
            else:
                yield case.family(transport)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/cgi-bin/")
        if path == "file" and self._case.path == "file":
            return httpx.Response(200, stream=httpx.ByteStream(self._sealed))
        if path == self._case.path:
            return streamed(self._reply)
        if path == "gettoken":
            return right({"access_token": "tok-secret-1", "expires_in": 7200})
        if path == "export/get_result":
            return right({"status": 2, "data_list": [self._listed()]})
        return right(RIGHT[path])

    def _listed(self) -> dict[str, Any]:
        md5 = hashlib.md5(self._sealed).hexdigest()
        return {"url": f"{BASE}/cgi-bin/file", "size": len(self._sealed), "md5": md5}


def right(answer: dict[str, Any]) -> httpx.Response:
    return streamed(httpx.Response(200, content=json.dumps({"errcode": 0, "errmsg": "ok", **answer})))


def streamed(reply: httpx.Response) -> httpx.Response:
    """As from the network: its body is not read yet."""
    return httpx.Response(reply.status_code, headers=reply.headers, stream=httpx.ByteStream(reply.content))
