"""A client that nobody here wrote, wechatpy, keeps a directory in the sandbox as it does in WeCom."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.foreign import clients, exceptions, refused
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import ContactSync
from wxsync.sandbox.verification import sign_in_code


@pytest.fixture
def state():
    return SandboxState(legacy_ip=True)


@pytest.fixture
def client(state):
    with running_sandbox(state) as base_url, clients(state, base_url) as by_secret:
        yield by_secret


@pytest.fixture
def contact(client, state):
    """wechatpy with the contact-sync secret."""
    return client(state.contact_secret)


@pytest.fixture
def app(client, state):
    """wechatpy with the app's secret."""
    return client(state.apps[0].secret)


def make(contact, userid, **fields):
    """A member. wechatpy's own default for gender is 0, a number, and WeCom's gender is a text."""
    fields = {"mobile": None, "email": f"{userid}@example.com", "department": [1], **fields}
    return contact.user.create(userid, f"林{userid}", gender=None, to_invite=False, **fields)


def errcodes(state, path):
    """What each call of the path was answered."""
    return [call.errcode for call in state.log if call.path == path]


# Tokens


def test_one_token_is_used_for_many_calls(state, contact):
    """The answer of gettoken is kept by wechatpy, with the life that the sandbox gave it."""
    contact.department.list()
    contact.tag.list()
    [token] = state.tokens.values()
    assert (contact.access_token, contact.session.get(contact.access_token_key)) == (token.text, token.text)
    assert abs(contact.expires_at - token.expires_at) <= 2
    assert errcodes(state, "gettoken") == [0]


@pytest.mark.parametrize(("ends", "errcode"), [("expire_tokens", 42001), ("revoke_tokens", 40014)])
def test_a_token_that_is_refused_is_fetched_again(state, contact, ends, errcode):
    """wechatpy renews on both codes by itself, and the call succeeds with the new token."""
    before = contact.access_token
    getattr(state, ends)()
    assert [row["id"] for row in contact.department.list()] == [1]
    assert contact.access_token != before
    assert errcodes(state, "department/list") == [errcode, 0]


def test_a_wrong_secret_gives_40001(client):
    """gettoken refuses it, in the form that wechatpy reads."""
    with refused(40001):
        client("not-the-secret").fetch_access_token()


def test_a_wrong_corp_gives_40013(client, state):
    """Corp and secret are told apart."""
    stranger = client(state.contact_secret)
    stranger.corp_id = "ww0000000000000000"
    with refused(40013):
        stranger.fetch_access_token()


def test_too_many_calls_are_wechatpys_limit_exception(state, contact):
    """45009 is the one code for which wechatpy has a class of its own."""
    state.calls_per_minute = 2
    contact.tag.list()
    contact.tag.list()
    with pytest.raises(exceptions.APILimitedException) as caught:
        contact.tag.list()
    assert caught.value.errcode == 45009
    assert caught.value.errmsg.startswith("api freq out of limit, hint: [")


def test_a_call_that_is_not_there_is_no_answer_of_wecoms(state, app):
    """HTTP 404 without an errcode, as for wechatpy's `transfer`: a call of old, retired since."""
    with refused(None):
        app.external_contact.transfer("wm1", "lin", "mei")
    assert state.log[-1].http_status == 404


def test_every_answer_and_refusal_is_read_by_its_code(contact):
    """errcode and errmsg are in every answer; a refusal's text has the hint, the address and the link."""
    assert contact.get("department/simplelist")["errmsg"] == "ok"
    with pytest.raises(exceptions.WeChatClientException) as caught:
        contact.user.get("nobody")
    assert caught.value.errcode == 60111
    assert caught.value.errmsg.startswith("userid not found, hint: [")
    assert caught.value.errmsg.endswith("https://open.work.weixin.qq.com/devtool/query?e=60111")
    assert caught.value.response.headers["Error-Code"] == "60111"


# Members


def test_a_member_is_created_read_changed_and_deleted(state, contact):
    """The whole life of one member, by wechatpy's own methods."""
    contact.department.create("研发", id=2)
    created = make(
        contact,
        "lin.mei",
        department=[1, 2],
        mobile="+86 13800000001",
        position="工程师",
        order=[0, 7],
        is_leader_in_dept=[0, 1],
        direct_leader=[],
        alias="梅",
    )
    assert created == {"errcode": 0, "errmsg": "created"}
    read = contact.user.get("LIN.MEI")
    wanted = {
        "userid": "lin.mei",
        "name": "林lin.mei",
        "mobile": "13800000001",
        "department": [1, 2],
        "order": [0, 7],
        "is_leader_in_dept": [0, 1],
        "main_department": 1,
        "position": "工程师",
        "alias": "梅",
        "gender": "0",
        "email": "lin.mei@example.com",
        "status": 4,
        "enable": 1,
    }
    assert {name: read[name] for name in wanted} == wanted

    updated = contact.user.update("lin.mei", name="林美", department=[2], enable=0, position="")
    assert updated == {"errcode": 0, "errmsg": "updated"}
    member = state.member("lin.mei")
    assert (member.name, member.department, member.enable, member.position) == ("林美", (2,), 0, "")
    assert member.mobile == "13800000001"
    assert state.invitations == []

    assert contact.user.delete("lin.mei") == {"errcode": 0, "errmsg": "deleted"}
    assert not state.members
    with refused(60111):
        contact.user.get("lin.mei")


def test_a_number_for_gender_is_refused(state, contact):
    """wechatpy sends `"gender": 0` by default, where the pages have a text: 40058, nobody is created."""
    with refused(40058):
        contact.user.create("lin", "林", department=[1], mobile="13800000001")
    assert not state.members
    state.warn_on_wrong_types = True
    answer = contact.user.create("lin", "林", department=[1], mobile="13800000001", to_invite=False)
    assert answer["errcode"] == 0
    assert "Warning: wrong json format" in answer["errmsg"]


def test_who_is_not_told_otherwise_invites(state, contact):
    """to_invite is true where it is left out, and wechatpy leaves it out."""
    contact.user.create("lin", "林", department=[1], mobile="13800000001", gender="2")
    assert state.invitations == ["lin"]


@pytest.mark.parametrize(
    ("errcode", "userid", "fields"),
    [
        (60102, "TAKEN", {}),
        (60104, "new", {"mobile": "13800000001"}),
        (60106, "new", {"email": "taken@example.com"}),
        (60129, "new", {"email": None}),
        (60103, "new", {"mobile": "one"}),
        (60105, "new", {"email": "at example"}),
        (60132, "new", {"department": [1, 2], "is_leader_in_dept": [1]}),
        (40003, "林", {}),
        (301012, "new", {"position": "长" * 129}),
        (301021, "new", {"direct_leader": ["nobody"]}),
    ],
)
def test_what_cannot_be_created_is_refused(state, contact, errcode, userid, fields):
    """wechatpy gets the documented errcode, and nothing is changed."""
    state.add_department("研发", id=2)
    state.add_member("taken", "林", mobile="13800000001", email="taken@example.com")
    with refused(errcode):
        make(contact, userid, **fields)
    assert list(state.members) == ["taken"]


def test_many_are_deleted_at_once_or_nobody(state, contact):
    """One userid that is not there keeps all the others (WeCom page 90199)."""
    for userid in ("a", "b", "c"):
        make(contact, userid)
    with refused(40031):
        contact.user.batch_delete(["a", "nobody", "b"])
    assert len(state.members) == 3
    assert contact.user.batch_delete(["a", "B"]) == {"errcode": 0, "errmsg": "deleted"}
    assert list(state.members) == ["c"]
    with refused(40032):
        contact.user.batch_delete([f"u{number}" for number in range(201)])


def test_the_members_of_a_department_are_listed(state, contact):
    """Direct members only, though wechatpy can send `fetch_child`, which today's pages do not know."""
    contact.department.create("研发", id=2)
    make(contact, "lin", department=[1])
    make(contact, "mei", department=[2])
    assert contact.user.list(2, simple=True) == [{"userid": "mei", "name": "林mei", "department": [2]}]
    assert [row["userid"] for row in contact.user.list(1, fetch_child=True)] == ["lin"]
    [row] = contact.department.get_users(2, simple=False)
    assert (row["userid"], row["email"], row["enable"]) == ("mei", "mei@example.com", 1)
    assert contact.department.get_map_users(key="email") == {
        "lin@example.com": "lin",
        "mei@example.com": "mei",
    }
    with refused(60003):
        contact.user.list(99)


def test_a_number_leads_to_a_member(state, contact):
    """getuserid knows the number with and without the country's code; 46004 for one that nobody has."""
    make(contact, "lin", mobile="13800000001")
    assert contact.user.getuserid("13800000001") == "lin"
    assert contact.user.getuserid("+8613800000001") == "lin"
    with refused(46004):
        contact.user.getuserid("13800000002")


def test_openids_and_userids_are_converted(state, contact, app):
    """For who has bound WeChat; by an app, and not by contact sync."""
    make(contact, "lin")
    with refused(43004):
        app.user.convert_to_openid("lin")
    openid = state.bind_wechat("lin")
    assert app.user.convert_to_openid("LIN")["openid"] == openid
    assert app.user.convert_to_user_id(openid) == "lin"
    with refused(40073):
        app.user.convert_to_user_id("oNobody")
    with refused(48002):
        contact.user.convert_to_openid("lin")


def test_who_opens_a_page_is_told_by_the_code(state, contact, app):
    """wechatpy calls the old user/getuserinfo, with its keys in capitals; a code is good once."""
    make(contact, "lin")
    code = sign_in_code(state, "lin")
    assert app.oauth.get_user_info(code)["UserId"] == "lin"
    with refused(40029):
        app.oauth.get_user_info(code)


def test_smaller_questions_are_answered(state, contact):
    """Second verification, the picture to join by, active members, and WeCom's addresses."""
    make(contact, "lin")
    make(contact, "mei")
    assert contact.user.verify("lin")["errmsg"] == "ok"
    state.set_status("mei", 1)
    today = datetime.fromtimestamp(state.clock(), ZoneInfo("Asia/Shanghai")).date()
    assert contact.user.get_active_stat(today.isoformat()) == 2
    with refused(40058):
        contact.user.get_active_stat((today - timedelta(days=31)).isoformat())
    assert contact.user.get_join_qrcode(size_type=1).startswith("https://")
    with refused(40058):
        contact.user.get_join_qrcode(size_type=9)
    assert contact.misc.get_wechat_ips() == ["198.51.100.10", "198.51.100.32/28"]


# Who may do what


def test_an_app_sees_less_and_writes_no_contacts(state, contact, app):
    """No phone number for an app of today; its writes get 48002 (members) and 60011 (departments)."""
    make(contact, "lin", mobile="13800000001")
    seen = app.user.get("lin")
    assert seen["name"] == "林lin"
    assert not {"mobile", "email", "gender", "avatar", "qr_code", "address", "biz_mail"} & set(seen)
    with refused(48002):
        app.user.update("lin", name="林")
    with refused(60011):
        app.department.create("研发")
    assert state.member("lin").name == "林lin"


def test_contact_sync_from_a_new_address_reads_ids_only(state, contact):
    """48009 for details since 2022-08-15; ids and writing go on."""
    make(contact, "lin")
    state.legacy_ip = False
    for read in (
        lambda: contact.user.get("lin"),
        lambda: contact.user.list(1),
        lambda: contact.user.list(1, simple=True),
        contact.department.list,
        lambda: contact.department.get(1),
    ):
        with refused(48009):
            read()
    [root] = contact.department.simple_list()
    assert (root["id"], root["parentid"]) == (1, 0)
    listed = contact.post("user/list_id", data={"limit": 100})
    assert listed["dept_user"] == [{"userid": "lin", "department": 1}]
    assert contact.user.update("lin", name="林")["errmsg"] == "updated"


def test_contact_sync_can_be_read_only_or_off(state, contact):
    """60011 and 48002 are what wechatpy gets then."""
    state.contact_sync = ContactSync.READ
    with refused(60011):
        make(contact, "lin")
    state.contact_sync = ContactSync.OFF
    with refused(48002):
        make(contact, "lin")
    assert not state.members


def test_an_address_that_is_not_trusted_gets_a_token_and_no_more(state, contact):
    """60020 on the first real call, not on gettoken."""
    state.trusted_ips = ("192.0.2.1",)
    assert contact.fetch_access_token()["errcode"] == 0
    with refused(60020):
        contact.department.simple_list()


# Departments


def test_departments_are_created_moved_renamed_and_deleted(state, contact):
    """A small tree comes and goes, in wechatpy's words."""
    created = contact.department.create("研发", id=2, order=5, name_en="RD")
    assert created == {"errcode": 0, "errmsg": "created", "id": 2}
    child = contact.department.create("平台", parent_id=2)["id"]
    assert contact.department.list(2) == [
        {"id": 2, "name": "研发", "name_en": "RD", "department_leader": [], "parentid": 1, "order": 5},
        {
            "id": child,
            "name": "平台",
            "name_en": "",
            "department_leader": [],
            "parentid": 2,
            "order": 100000000,
        },
    ]
    assert contact.department.get(2)["name"] == "研发"
    assert contact.department.simple_list(child) == [{"id": child, "parentid": 2, "order": 100000000}]

    assert contact.department.update(child, name="基础平台", parent_id=1)["errmsg"] == "updated"
    assert (state.departments[child].name, state.departments[child].parentid) == ("基础平台", 1)
    assert contact.department.delete(child)["errmsg"] == "deleted"
    assert list(state.departments) == [1, 2]


def test_what_departments_cannot_be_is_refused(state, contact):
    """Each refusal has its own code."""
    contact.department.create("研发", id=2)
    contact.department.create("平台", parent_id=2, id=3)
    make(contact, "lin", department=[3])
    for errcode, attempt in (
        (60008, lambda: contact.department.create("研发")),
        (60008, lambda: contact.department.create("销售", id=3)),
        (60004, lambda: contact.department.create("销售", parent_id=99)),
        (60009, lambda: contact.department.create("销:售")),
        (60001, lambda: contact.department.create("")),
        (60003, lambda: contact.department.update(99, name="销售")),
        (60010, lambda: contact.department.update(2, parent_id=3)),
        (60124, lambda: contact.department.update(1, parent_id=0)),
        (60007, lambda: contact.department.delete(1)),
        (60006, lambda: contact.department.delete(2)),
        (60005, lambda: contact.department.delete(3)),
        (60003, lambda: contact.department.delete(99)),
    ):
        with refused(errcode):
            attempt()
    assert [(each.id, each.name, each.parentid) for each in state.departments.values()] == [
        (1, state.corp_name, 0),
        (2, "研发", 1),
        (3, "平台", 2),
    ]


def test_the_owner_of_a_taken_name_is_told(contact):
    """60008's text ends in the id of the department that is in the way, before the hint."""
    contact.department.create("研发", id=7)
    with pytest.raises(exceptions.WeChatClientException) as caught:
        contact.department.create("研发")
    assert caught.value.errmsg.startswith("department existed: 7, hint: [")


# Tags


def test_tags_hold_members_and_departments(state, contact):
    """A tag is made, filled, read, emptied, renamed and deleted."""
    make(contact, "lin")
    make(contact, "mei")
    contact.department.create("研发", id=2)
    assert contact.tag.create("导师", tag_id=12) == {"errcode": 0, "errmsg": "created", "tagid": 12}
    assert contact.tag.create("新人")["tagid"] == 13
    assert contact.tag.add_users(12, ["lin", "MEI"], [2]) == {"errcode": 0, "errmsg": "ok"}
    assert contact.tag.get_users(12) == {
        "errcode": 0,
        "errmsg": "ok",
        "tagname": "导师",
        "userlist": [{"userid": "lin", "name": "林lin"}, {"userid": "mei", "name": "林mei"}],
        "partylist": [2],
    }
    assert contact.tag.delete_users(12, ["lin"]) == {"errcode": 0, "errmsg": "deleted"}
    assert contact.tag.update(12, "带教") == {"errcode": 0, "errmsg": "updated"}
    assert (list(state.tags[12].users), list(state.tags[12].parties)) == (["mei"], [2])
    assert contact.tag.delete(13) == {"errcode": 0, "errmsg": "deleted"}
    assert contact.tag.list() == [{"tagid": 12, "tagname": "带教"}]


def test_ids_that_are_not_there_are_named_and_the_others_go_in(state, contact):
    """errcode 0 with a text and a list: the documented partial success, both ways."""
    make(contact, "lin")
    contact.tag.create("导师", tag_id=12)
    answer = contact.tag.add_users(12, ["lin", "usr1", "usr2"], [2, 4])
    assert answer == {"errcode": 0, "errmsg": "ok", "invalidlist": "usr1|usr2", "invalidparty": [2, 4]}
    assert list(state.tags[12].users) == ["lin"]
    answer = contact.tag.delete_users(12, ["lin", "usr1"])
    assert answer == {"errcode": 0, "errmsg": "deleted", "invalidlist": "usr1"}
    assert not state.tags[12].users


def test_a_tag_call_in_which_nothing_is_good_is_refused(contact):
    """40070 going in and 40031 going out."""
    contact.tag.create("导师", tag_id=12)
    with refused(40070):
        contact.tag.add_users(12, ["nobody"])
    with refused(40031):
        contact.tag.delete_users(12, ["nobody"])
    with refused(40068):
        contact.tag.get_users(99)
    with refused(40071):
        contact.tag.create("导师")
    with refused(40068):
        contact.tag.create("新人", tag_id=12)


def test_a_tag_belongs_to_who_made_it(state, contact, app):
    """81011 for the other secret, in both directions; everybody lists it."""
    make(contact, "lin")
    contact.tag.create("同步", tag_id=1)
    app.tag.create("应用", tag_id=2)
    with refused(81011):
        app.tag.add_users(1, ["lin"])
    with refused(81011):
        contact.tag.delete(2)
    assert (
        app.tag.list()
        == contact.tag.list()
        == [
            {"tagid": 1, "tagname": "同步"},
            {"tagid": 2, "tagname": "应用"},
        ]
    )
    assert contact.tag.add_users(state.add_tag("控制台").id, ["lin"])["errcode"] == 0


def test_tag_number_0_is_left_out_by_wechatpy(state, contact):
    """It drops a tagid of 0 (`if tag_id:`), so that the sandbox counts on; a raw call gets 0."""
    assert contact.tag.create("零", tag_id=0)["tagid"] == 1
    assert contact.post("tag/create", data={"tagname": "真零", "tagid": 0})["tagid"] == 0
    assert {tag.id: tag.name for tag in state.tags.values()} == {1: "零", 0: "真零"}
