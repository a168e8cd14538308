from __future__ import annotations

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
from wxsync.wecom.errcodes import ERRCODES, Action, explain, lookup

LISTED = """
-1 6000 40001 40003 40004 40005 40006 40007 40009 40013 40014 40029 40031 40032 40033 40035 40056 40057 40058
40063 40066 40068 40069 40070 40071 40072 40073 40078 40082 40088 40089 40091 40092 40096 40097 40098 40100
40126 40206 41001 41002 41004 41006 41009 41017 41018 41019 41036 41066 42001 42007 42009 43004 43009 44001
45001 45009 45024 45026 45029 45031 45033 46004 48001 48002 48003 48004 48005 48006 48007 48008 48009 50001
50002 50003 50100 60001 60003 60004 60005 60006 60007 60008 60009 60010 60011 60012 60020 60021 60030 60031
60102 60103 60104 60105 60106 60107 60110 60111 60112 60123 60124 60125 60127 60129 60132 60136 60141 60142
60143 60144 60145 60146 60147 60148 60257 81001 81002 81003 81011 81012 81013 81014 81015 81017 82001 82002
82003 301002 301005 301007 301012 301013 301014 301015 301021 301036 301042 302003 302004 302005 302006
302007 302008
"""


def test_every_code_of_wecoms_table_is_here():
    """Each errcode that the documentation lists has an action, words, and nothing else is made up."""
    assert set(ERRCODES) == {int(code) for code in LISTED.split()}
    assert all(str(info.hint) for info in ERRCODES.values())


def test_the_class_follows_the_action():
    """Whoever catches an error by class and whoever looks the action up agree."""
    classes: dict[Action, set[type[WeComApiError]]] = {
        Action.RETRY: {RateLimitError},
        Action.REFRESH: {TokenError},
        Action.STOP: {DeniedError},
        Action.BUG: {WeComApiError},
        Action.RECORD: {NotFoundError, ConflictError, FieldError},
    }
    for code, info in ERRCODES.items():
        assert info.error in classes[info.action], code


@pytest.mark.parametrize(
    ("code", "action", "error"),
    [
        (-1, Action.RETRY, RateLimitError),
        (45009, Action.RETRY, RateLimitError),
        (42001, Action.REFRESH, TokenError),
        (60111, Action.RECORD, NotFoundError),
        (60003, Action.RECORD, NotFoundError),
        (60102, Action.RECORD, ConflictError),
        (60104, Action.RECORD, ConflictError),
        (60103, Action.RECORD, FieldError),
        (60129, Action.RECORD, FieldError),
        (301005, Action.RECORD, FieldError),
        (40001, Action.STOP, DeniedError),
        (60020, Action.STOP, DeniedError),
        (48002, Action.STOP, DeniedError),
        (60132, Action.BUG, WeComApiError),
    ],
)
def test_codes_by_class(code, action, error):
    """The codes that a run meets most are sorted as the documentation says."""
    assert ERRCODES[code].action is action
    assert ERRCODES[code].error is error


def test_an_unlisted_code_concerns_its_record_only():
    """A code that WeCom introduces tomorrow stops no run, and the hint says where to look it up."""
    assert lookup(999999).action is Action.RECORD
    assert "devtool" in str(lookup(999999).hint)


def test_60020_tells_the_address_that_wecom_saw():
    """The operator learns which address to enter, where, and that it takes a minute."""
    hint = explain(
        60020, "not allow to access from your ip, hint: [1], from ip: 203.0.113.7, more info at https://x"
    )
    assert str(hint) == (
        "WeCom sees this machine as 203.0.113.7 and does not trust it: enter that in the admin console "
        "under 企业可信IP; it takes about a minute to hold"
    )
    assert "企业可信IP" in str(explain(60020, "some other text"))
    assert "2001:db8::1" in str(explain(60020, "x, from ip: 2001:db8::1, more"))


def test_60104_names_the_owner_where_wecom_does():
    """The owner's userid gets into the hint, and no harm is done where the text is another one."""
    assert "member li.si has" in str(explain(60104, "mobile existed:li.si, hint: [1]"))
    assert explain(60104, "whatever") == ERRCODES[60104].hint
    assert "id: 17," in str(explain(60008, "department existed: 17"))
