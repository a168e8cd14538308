from __future__ import annotations

from datetime import date

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import (
    DeniedError,
    NotFoundError,
    RateLimitError,
    UnsendableError,
    WeComApiError,
    WeComError,
)
from wxsync.model.lookup import (
    DepartmentCard,
    MailKind,
    MemberCard,
    MemberName,
    MemberPage,
    MemberStatus,
    QrSize,
    TagCard,
)
from wxsync.model.seen import SeenDepartment, SeenTag, ShownMember
from wxsync.model.unknown import UNKNOWN
from wxsync.wecom.lookups import Lookups

ZHANG = {
    "userid": "zhang.san",
    "name": "张三",
    "department": [2, 7],
    "position": "工程师",
    "mobile": "13800000001",
    "gender": "1",
    "email": "zs@example.com",
    "avatar": "https://wecom.test/0",
    "status": 1,
    "isleader": 1,
    "extattr": {"attrs": [{"name": "工号", "value": "A1", "type": 0, "text": {"value": "A1"}}]},
    "telephone": "",
    "enable": 1,
    "hide_mobile": 0,
    "order": [0, 5],
    "external_profile": {"external_attr": [], "external_corp_name": ""},
    "main_department": 2,
    "qr_code": "https://wecom.test/q",
    "alias": "",
    "is_leader_in_dept": [0, 1],
    "address": "",
    "direct_leader": ["boss"],
    "biz_mail": "zs@corp.wecom.work",
}


def look(line: Line, act):
    return line.ask(lambda transport: act(Lookups(transport)))


def test_a_member_is_shown_whole():
    """Every documented field that a run knows, and those that only people want."""
    line = Line().script("user/get", ok(**ZHANG))
    card = look(line, lambda lookups: lookups.get_member("ZHANG.san"))
    assert card == MemberCard(
        userid="zhang.san",
        status=MemberStatus.ACTIVATED,
        avatar="https://wecom.test/0",
        qr_code="https://wecom.test/q",
        shown=ShownMember(
            name="张三",
            alias=None,
            mobile="13800000001",
            email="zs@example.com",
            position="工程师",
            gender="1",
            telephone=None,
            address=None,
            biz_mail="zs@corp.wecom.work",
            departments=frozenset({2, 7}),
            main_department=2,
            is_leader=(7,),
            order=((2, 0), (7, 5)),
            direct_leader="boss",
            enable=True,
            is_activated=True,
            extattr=(("工号", "A1"),),
        ),
    )
    assert line.requests["user/get"][0].url.params["userid"] == "ZHANG.san"


def test_what_an_app_may_not_see_is_unknown():
    """Neither an absent field nor a status that nobody documented becomes empty or a guess."""
    line = Line().script("user/get", ok(userid="a", name="甲", status=3))
    card = look(line, lambda lookups: lookups.get_member("a"))
    assert (card.status, card.avatar, card.shown.mobile, card.shown.name) == (UNKNOWN, UNKNOWN, UNKNOWN, "甲")


@pytest.mark.parametrize(("code", "error"), [(60111, NotFoundError), (48009, DeniedError)])
def test_a_refused_look_up_is_an_error(code, error):
    """The empty lists that an error carries are never a member."""
    line = Line().script(
        "user/get", httpx.Response(200, json={"errcode": code, "errmsg": "no", "department": []})
    )
    with pytest.raises(error):
        look(line, lambda lookups: lookups.get_member("a"))


def test_members_of_a_department():
    """By name, and with everything that is shown."""
    line = Line().script(
        "user/simplelist", ok(userlist=[{"userid": "a", "name": "甲", "department": [1, 2]}])
    )
    line.script("user/list", ok(userlist=[ZHANG, {"userid": "b", "status": 2}]))
    names = look(line, lambda lookups: lookups.list_member_names(2))
    cards = look(line, lambda lookups: lookups.list_members(2))
    assert names == (MemberName(userid="a", name="甲", department_ids=frozenset({1, 2})),)
    assert [(card.userid, card.status) for card in cards] == [
        ("zhang.san", MemberStatus.ACTIVATED),
        ("b", MemberStatus.DISABLED),
    ]
    assert line.requests["user/list"][0].url.params["department_id"] == "2"


def test_a_page_of_everybody():
    """One page and the cursor to the next; the first has none."""
    line = Line().script("user/list_id", ok(dept_user=[{"userid": "a", "department": 1}], next_cursor="c2"))
    page = look(line, lambda lookups: lookups.list_member_ids(limit=1))
    look(line, lambda lookups: lookups.list_member_ids("c2"))
    assert page == MemberPage(rows=(("a", 1),), next_cursor="c2")
    assert line.bodies("user/list_id") == [{"limit": 1}, {"cursor": "c2", "limit": 10000}]


def test_who_has_a_mobile_or_a_mailbox():
    """The value goes in the body, never into a URL; a personal address is asked for as such."""
    line = Line().script("user/getuserid", ok(userid="a")).script("user/get_userid_by_email", ok(userid="b"))
    assert look(line, lambda lookups: lookups.find_by_mobile("13800000001", members=100)) == "a"
    assert look(line, lambda lookups: lookups.find_by_email("b@example.com")) == "b"
    look(line, lambda lookups: lookups.find_by_email("b@example.com", MailKind.PERSONAL))
    assert line.bodies("user/getuserid") == [{"mobile": "13800000001"}]
    assert [body["email_type"] for body in line.bodies("user/get_userid_by_email")] == [1, 2]
    assert "13800000001" not in str(line.requests["user/getuserid"][0].url)


def test_misses_by_mobile_are_counted():
    """At 5 % of the members in a day the call is not made any more: WeCom would block it at 20 %."""

    async def ask_often(transport):
        lookups, refused = Lookups(transport), []
        for number in range(4):
            try:
                await lookups.find_by_mobile(f"1380000000{number}", members=60)
            except WeComApiError as error:
                refused.append((type(error), error.errcode))
        return refused

    line = Line().script("user/getuserid", errcode(46004))
    missed, spared = (NotFoundError, 46004), (RateLimitError, 45009)
    assert line.ask(ask_often) == [missed, missed, missed, spared]
    assert line.count("user/getuserid") == 3


def test_openids_both_ways():
    """A member's openid, and whose an openid is."""
    line = Line().script("user/convert_to_openid", ok(openid="oDOG"))
    line.script("user/convert_to_userid", ok(userid="a"))
    assert look(line, lambda lookups: lookups.to_openid("a")) == "oDOG"
    assert look(line, lambda lookups: lookups.to_userid("oDOG")) == "a"
    assert line.bodies("user/convert_to_openid") == [{"userid": "a"}]
    assert line.bodies("user/convert_to_userid") == [{"openid": "oDOG"}]


@pytest.mark.parametrize(
    ("path", "act"),
    [
        ("user/getuserid", lambda lookups: lookups.find_by_mobile("13800000001")),
        ("user/get_userid_by_email", lambda lookups: lookups.find_by_email("a@b.c")),
        ("user/convert_to_userid", lambda lookups: lookups.to_userid("o")),
        ("user/convert_to_openid", lambda lookups: lookups.to_openid("a")),
    ],
)
def test_nobody_is_found_by_an_empty_name(path, act):
    """An answer of errcode 0 that names nobody is no answer."""
    line = Line().script(path, ok(userid="", openid=""))
    with pytest.raises(WeComError, match="is empty"):
        look(line, act)


def test_the_corp_at_large():
    """How many used WeCom, and the code by which people join."""
    line = Line().script("user/get_active_stat", ok(active_cnt=100))
    line.script("corp/get_join_qrcode", ok(join_qrcode="https://wecom.test/join"))
    assert look(line, lambda lookups: lookups.count_active(date(2026, 3, 1))) == 100
    assert look(line, lambda lookups: lookups.get_join_qrcode(QrSize.PX_741)) == "https://wecom.test/join"
    assert line.bodies("user/get_active_stat") == [{"date": "2026-03-01"}]
    assert line.requests["corp/get_join_qrcode"][0].url.params["size_type"] == "3"


def test_departments_by_list_and_one_by_one():
    """department/get holds a record where department/list holds a list; leaders come along."""
    row = {"id": 2, "name": "研发", "name_en": "RD", "department_leader": ["a"], "parentid": 1, "order": 10}
    line = Line().script("department/list", ok(department=[row])).script("department/get", ok(department=row))
    line.script("department/simplelist", ok(department_id=[{"id": 2, "parentid": 1, "order": 10}]))
    card = DepartmentCard(id=2, parent_id=1, order=10, name="研发", name_en="RD", leaders=("a",))
    assert look(line, lambda lookups: lookups.list_departments(2)) == (card,)
    assert look(line, lambda lookups: lookups.get_department(2)) == card
    bare = SeenDepartment(id=2, parent_id=1, order=10)
    assert look(line, lambda lookups: lookups.list_department_ids()) == (bare,)
    assert line.requests["department/list"][0].url.params["id"] == "2"
    assert "id" not in line.requests["department/simplelist"][0].url.params


def test_tags_and_who_is_in_them():
    """The list has names alone; one tag has members by name, and whole departments."""
    line = Line().script("tag/list", ok(taglist=[{"tagid": 1, "tagname": "甲"}]))
    line.script("tag/get", ok(tagname="甲", userlist=[{"userid": "A", "name": "x"}], partylist=[2]))
    assert look(line, lambda lookups: lookups.list_tags()) == (SeenTag(id=1, name="甲"),)
    assert look(line, lambda lookups: lookups.get_tag(1)) == TagCard(
        id=1,
        name="甲",
        members=(MemberName(userid="A", name="x"),),
        department_ids=frozenset({2}),
    )


@pytest.mark.parametrize(
    "act",
    [
        lambda lookups: lookups.get_member(""),
        lambda lookups: lookups.get_member("a" * 65),
        lambda lookups: lookups.list_member_ids(limit=10_001),
        lambda lookups: lookups.list_member_ids(limit=0),
        lambda lookups: lookups.find_by_mobile("1" * 33),
        lambda lookups: lookups.find_by_email("x" * 65),
        lambda lookups: lookups.to_openid("工" * 22),
        lambda lookups: lookups.to_userid(""),
    ],
)
def test_what_wecom_would_refuse_is_not_sent(act):
    """A limit is told in words, without the value, and costs no call."""
    line = Line()
    with pytest.raises(UnsendableError) as caught:
        look(line, act)
    assert "1111" not in str(caught.value)
    assert "xxxx" not in str(caught.value)
    assert line.requests == {}
