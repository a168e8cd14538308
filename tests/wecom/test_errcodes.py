from __future__ import annotations

import re

import pytest

from wxsync.errors import (
    ConflictError,
    DeniedError,
    FieldError,
    NotFoundError,
    RateLimitError,
    TokenError,
    WeComApiError,
)
from wxsync.report.locale import translate
from wxsync.sandbox.refusal import TEXTS
from wxsync.wecom.answers import REMEDIES, Remedy
from wxsync.wecom.errcodes import ALREADY_SO, ERRCODES, FAMILIES, Action, explain, lookup


def codes(text: str) -> frozenset[int]:
    return frozenset(int(code) for code in text.split())


CONTACTS = {
    "R": codes("-1 6000 45009 45033 81017 302005 302008"),
    "T": codes("40014 40082 42001 42007 42009"),
    "P": codes(
        """
        40003 40006 40007 40009 40029 40031 40066 40068 40069 40070 40072 40073 40088 40089 40092 40096 40097
        40098 40100 41036 41066 43004 45001 50100 60001 60003 60004 60005 60006 60009 60103 60104 60105 60106
        60107 60110 60112 60123 60124 60125 60129 60136 60141 60142 60143 60144 60145 60146 60147 60148 60257
        81002 81003 81015 301005 301012 301013 301014 301015 301021 301036
        """
    ),
    "C": codes(
        """
        40001 40013 40056 40057 40078 40091 40126 41002 41004 43009 45024 45026 45031 48001 48002 48003 48004
        48006 48007 48008 48009 50001 50002 50003 60011 60020 60021 60030 60031 81001 81011 301002 301007
        301042
        """
    ),
    "B": codes(
        """
        40004 40005 40032 40033 40035 40063 40206 41001 41006 41009 41017 41018 41019 44001 45029 48005 60007
        60127 60132 81012 81014 82001 82002 82003 302003 302004 302006 302007
        """
    ),
    "P/I": codes("40071 46004 60008 60102 60111"),
    "P/B": codes("40058 60010"),
    "P/C": codes("81013"),
    "-": codes("60012"),
}
"""The table of contacts.md by its classes: retry, token, permanent, configuration, bug, idempotent."""

ACTIONS = {
    "R": {Action.RETRY, Action.WAIT},
    "T": {Action.REFRESH},
    "P": {Action.RECORD},
    "C": {Action.STOP},
    "B": {Action.BUG},
    "P/I": {Action.RECORD},
    "P/B": {Action.RECORD, Action.BUG},
    "P/C": {Action.RECORD, Action.STOP},
    "-": {Action.BUG},
}

ONE_RECORD_ONLY = codes("40126 81001 81011")
"""An administrator has to act, but one tag or department is hindered and the others can go on."""

EVENTS = {
    "callbacks": codes(
        """
        40057 43012 -40001 -40002 -40003 -40004 -40005 -40006 -40007 -40008 -40009 -40010 -40011 -40012 -40013
        -40014
        """
    ),
    "contact events": codes("302003 302004 302005 302006 302007 302008 40092 45026 48006 48009"),
    "addresses": codes("40014 42001 60020"),
    "chats": codes(
        """
        40050 45009 48002 60011 60111 81013 86001 86003 86004 86005 86006 86007 86008 86101 86201 86202 86203
        86204 86205 86206 86207 86214 86215 86216 86217 86220 86222 86224
        """
    ),
    "messages": codes(
        """
        301002 40032 40056 40058 41016 41033 42014 42015 42016 42027 42028 42029 42030 42031 42033 42035 42036
        42037 42038 42039 42040 42041 42042 42043 42044 42045 42046 42047 42049 42050 42051 42052 43012 44004
        45002 45008 45009 45033 45034 48002 48006 50003 60020 60140 81012 81013 82001 82002 82003
        """
    ),
    "media": codes(
        """
        301019 40004 40005 40006 40007 40009 40011 44001 45001 45007 45033 830001 830002 830003
        """
    ),
    "invitations and sign-in": codes("40029 40035 50001"),
    "offboarding": codes(
        """
        301005 40003 40031 40032 40096 40097 40098 40099 48002 60111 81017 84061 84074 90500 90501 90502 90503
        90504 90507 90508
        """
    ),
    "webhooks": codes("40008 40058 44001 45009 93000 93004 93006 93008"),
}
"""Every errcode that events-and-messages.md names, by its section."""

PAGES = {
    "管理后台 → 我的企业 → 企业信息",
    "管理后台 → 我的企业 → 权限管理",
    "管理后台 → 通讯录",
    "管理后台 → 通讯录 → 标签",
    "管理后台 → 管理工具 → 通讯录同步",
    "管理后台 → 管理工具 → 通讯录同步 → 设置接收事件服务器",
    "管理后台 → 应用管理 → 应用",
    "管理后台 → 应用管理 → 应用 → 可见范围",
    "管理后台 → 应用管理 → 应用 → 接收消息 → 设置API接收",
    "管理后台 → 应用管理 → 应用 → 网页授权及JS-SDK",
    "管理后台 → 协作 → 邮件",
    "管理后台 → 客户与上下游 → 客户联系 → API",
}
"""The pages of the admin console that are named to anybody."""

UNNAMED = codes("40128 40130")
"""Of WeCom's own table (page 90313), and named by neither document: hand-overs of customers meet them."""

LISTED = frozenset().union(*CONTACTS.values(), *EVENTS.values(), UNNAMED)
CHINESE = range(0x4E00, 0x9FFF)


def test_every_code_of_the_two_documents_is_here():
    """Each errcode that the documents name has one row in one family; two more do, and none is made up."""
    assert set(ERRCODES) == LISTED
    assert sum(len(family) for family in FAMILIES) == len(ERRCODES)


def test_whatever_the_sandbox_says_is_known():
    """Every errcode that the sandbox has a text for is in the table: one that is not is nobody's reading."""
    assert sorted(set(TEXTS) - set(ERRCODES)) == []


@pytest.mark.parametrize("kind", CONTACTS)
def test_the_action_is_the_documents_class(kind):
    """Retry, token, permanent, configuration, bug: as the document says, but for three that stop no run."""
    wrong = {code: ERRCODES[code].action for code in CONTACTS[kind] - ONE_RECORD_ONLY}
    assert {code: action for code, action in wrong.items() if action not in ACTIONS[kind]} == {}


@pytest.mark.parametrize("code", sorted(ONE_RECORD_ONLY))
def test_a_full_corp_or_anothers_tag_stops_no_run(code):
    """81001, 40126 and 81011 ask an administrator, and are the failure of one record only."""
    assert ERRCODES[code].action is Action.RECORD
    assert ERRCODES[code].error is FieldError


def test_the_class_follows_the_action():
    """Whoever catches an error by class and whoever looks the action up agree."""
    classes: dict[Action, set[type[WeComApiError]]] = {
        Action.RETRY: {RateLimitError},
        Action.WAIT: {RateLimitError},
        Action.REFRESH: {TokenError},
        Action.STOP: {DeniedError},
        Action.BUG: {WeComApiError},
        Action.RECORD: {NotFoundError, ConflictError, FieldError},
    }
    for code, info in ERRCODES.items():
        assert info.error in classes[info.action], code


def test_the_windows_are_those_that_the_transport_waits_out():
    """What the transport repeats is what the table says will pass, and it waits where the table says so."""
    assert {code for code, remedy in REMEDIES.items() if remedy is Remedy.LIMITED} == {
        code for code, info in ERRCODES.items() if info.action is Action.WAIT
    }
    assert {lookup(code).action for code in REMEDIES} == {Action.RETRY, Action.WAIT}


@pytest.mark.parametrize(
    ("code", "action", "error"),
    [
        (-1, Action.RETRY, RateLimitError),
        (45009, Action.WAIT, RateLimitError),
        (45033, Action.RETRY, RateLimitError),
        (302008, Action.RETRY, RateLimitError),
        (42001, Action.REFRESH, TokenError),
        (60111, Action.RECORD, NotFoundError),
        (60003, Action.RECORD, NotFoundError),
        (86001, Action.RECORD, NotFoundError),
        (60102, Action.RECORD, ConflictError),
        (60104, Action.RECORD, ConflictError),
        (86215, Action.RECORD, ConflictError),
        (60103, Action.RECORD, FieldError),
        (60129, Action.RECORD, FieldError),
        (86008, Action.RECORD, FieldError),
        (301005, Action.RECORD, FieldError),
        (40001, Action.STOP, DeniedError),
        (60020, Action.STOP, DeniedError),
        (48002, Action.STOP, DeniedError),
        (43012, Action.STOP, DeniedError),
        (84074, Action.STOP, DeniedError),
        (93000, Action.STOP, DeniedError),
        (60132, Action.BUG, WeComApiError),
        (302003, Action.BUG, WeComApiError),
        (42031, Action.BUG, WeComApiError),
    ],
)
def test_codes_by_class(code, action, error):
    """The codes that a run meets most are sorted as the documentation says."""
    assert ERRCODES[code].action is action
    assert ERRCODES[code].error is error


@pytest.mark.parametrize("code", sorted(LISTED))
def test_every_hint_is_in_both_languages(code):
    """The words of every errcode are there in English and, another text, in Chinese; no field stays open."""
    hint = ERRCODES[code].hint
    english, chinese = translate(hint, "en"), translate(hint, "zh")
    assert english == str(hint)
    assert english[0].isascii()
    assert any(ord(letter) in CHINESE for letter in chinese)
    assert chinese != english
    assert "{" not in english + chinese


SETTINGS = sorted(
    {code for code, info in ERRCODES.items() if info.action is Action.STOP}
    | codes("40126 301005 81013 -40001 -40005 -40007")
)


@pytest.mark.parametrize("code", SETTINGS)
def test_a_setting_is_named_by_its_page(code):
    """Who has to change a setting is told on which page, in both languages; a webhook's is in its chat."""
    where = "群设置 → " if code in EVENTS["webhooks"] else "管理后台 → "
    assert where in translate(ERRCODES[code].hint, "en")
    assert where in translate(ERRCODES[code].hint, "zh")


def test_a_page_has_one_name():
    """The hints of both languages name the console's pages, each always in the same words."""
    hints = [info.hint for info in ERRCODES.values()]
    for language in ("en", "zh"):
        text = "\n".join(translate(hint, language) for hint in hints)
        assert set(re.findall(r"管理后台 → [^;,)，；）\n]*?(?=[;,)，；）\n]| 中)", text)) == PAGES


def test_wxsyncs_own_faults_are_to_be_reported():
    """Where nobody but wxsync can be at fault, the hint asks for a report."""
    bugs = [info.hint for info in ERRCODES.values() if info.action is Action.BUG]
    assert len(bugs) > 50
    assert [str(hint) for hint in bugs if "report it" not in str(hint)] == []


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("user/delete", 60111),
        ("user/delete", 40003),
        ("department/delete", 60003),
        ("department/delete", 60123),
        ("tag/delete", 40068),
        ("externalcontact/groupchat/transfer", 90504),
        ("externalcontact/groupchat/onjob_transfer", 90504),
    ],
)
def test_a_deletion_of_what_is_gone_is_carried_out(endpoint, code):
    """What a call was to bring about is so already: of this call only, and with the same words."""
    assert lookup(code, endpoint).action is Action.ALREADY
    assert lookup(code, endpoint).hint == lookup(code).hint
    assert lookup(code).action is Action.RECORD
    assert lookup(code, "user/update").action is Action.RECORD


@pytest.mark.parametrize("code", [60102, 60008, 40071, 86215])
def test_a_name_that_is_taken_is_never_ours_by_itself(code):
    """That a userid, department, tag or chat is there says nothing of who made it, whatever the call."""
    assert not any(code in already for already in ALREADY_SO.values())
    assert {lookup(code, call).action for call in ("user/create", "department/create", "tag/create")} == {
        Action.RECORD
    }
    assert ERRCODES[code].error is ConflictError


def test_an_unlisted_code_concerns_its_record_only():
    """A code that WeCom introduces tomorrow stops no run; the hint names it and asks for a report."""
    assert lookup(999999).action is Action.RECORD
    assert lookup(999999).error is WeComApiError
    assert str(explain(999999, "whatever")) == (
        "wxsync does not know errcode 999999: look it up at "
        "https://open.work.weixin.qq.com/devtool/query, and please report it"
    )
    assert "999999" in translate(explain(999999), "zh")
    assert "向我们报告" in translate(explain(999999), "zh")


@pytest.mark.parametrize("code", [60020, 301042])
def test_an_untrusted_address_is_told_as_wecom_saw_it(code):
    """The operator learns which address to enter, where, and that it takes a minute."""
    errmsg = "not allow to access from your ip, hint: [1], from ip: 203.0.113.7, more info at https://x"
    assert str(explain(code, errmsg)) == (
        "WeCom sees this machine as 203.0.113.7 and does not trust it: enter that in the admin console under "
        "企业可信IP (contact sync: 管理后台 → 管理工具 → 通讯录同步; an app: 管理后台 → 应用管理 → 应用); it "
        "takes about a minute to hold"
    )
    assert explain(code, "some other text") == ERRCODES[code].hint
    assert "企业可信IP" in str(ERRCODES[code].hint)
    assert "2001:db8::1" in translate(explain(code, "x, from ip: 2001:db8::1, more"), "zh")


def test_60104_names_the_owner_where_wecom_does():
    """The owner's userid gets into the hint, and no harm is done where the text is another one."""
    assert "member li.si has" in str(explain(60104, "mobile existed:li.si, hint: [1]"))
    assert explain(60104, "whatever") == ERRCODES[60104].hint
    assert "id: 17," in str(explain(60008, "department existed: 17"))
