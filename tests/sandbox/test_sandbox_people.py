"""Look-ups, invitations, codes and second verification."""

from __future__ import annotations

import pytest

from wxsync.sandbox.switches import App
from wxsync.sandbox.verification import sign_in_code, verification_code


def code(answer):
    return answer["errcode"]


@pytest.fixture
def app(wecom, state):
    return wecom.fetch_token(state.apps[0].secret)


@pytest.fixture
def narrow(wecom, state):
    """The token of an app that sees the department 2 only, which holds Lin."""
    state.add_department("研发", id=2)
    state.add_member("Lin", "林", department=[2])
    state.add_member("wu", "吴")
    state.apps = (App(), App(agent_id=7, secret="narrow", scope=(2,)))
    return wecom.fetch_token("narrow")


# Look-ups


def test_an_openid_is_had_by_who_bound_wechat(wecom, state, narrow):
    """43004 before; 50002 out of range; 60111 for nobody; 48002 for contact sync; 40073 for a made-up one."""

    def openid(userid, token=narrow):
        return wecom.post("user/convert_to_openid", {"userid": userid}, token)

    assert code(openid("lin")) == 43004
    mine, other = state.bind_wechat("lin"), state.bind_wechat("wu")
    assert openid("LIN") == {"errcode": 0, "errmsg": "ok", "openid": mine}
    assert code(openid("wu")) == 50002
    assert code(openid("nobody")) == 60111
    assert code(openid(None)) == 41009
    assert code(openid("lin", wecom.token)) == 48002
    found = wecom.post("user/convert_to_userid", {"openid": mine}, narrow)
    assert found == {"errcode": 0, "errmsg": "ok", "userid": "Lin"}
    assert code(wecom.post("user/convert_to_userid", {"openid": other}, narrow)) == 50002
    for wrong in ("made-up", ""):
        assert code(wecom.post("user/convert_to_userid", {"openid": wrong}, narrow)) == 40073
    assert code(wecom.post("user/convert_to_userid", {}, narrow)) == 40058
    assert state.member("lin").status == 1


def test_activity_is_told_of_the_last_thirty_days(wecom, state, app):
    """A day in Beijing, today the last; contact sync only."""
    state.add_member("a", "甲", is_activated=True)
    state.add_member("b", "乙")

    def active(date, token=None):
        return wecom.post("user/get_active_stat", {"date": date}, token)

    assert active("2027-01-15") == {"errcode": 0, "errmsg": "ok", "active_cnt": 1}
    assert code(active("2026-12-16")) == 0
    for date in ("2026-12-15", "2027-01-16", "2027-1-5", "2027-02-30", "", "20270115", 20270115):
        assert code(active(date)) == 40058
    assert code(active("2027-01-15", app)) == 48002


@pytest.mark.parametrize(("size", "pixels"), [(None, 171), (1, 171), (2, 399), (3, 741), (4, 2052)])
def test_a_qr_code_to_join_has_four_sizes(wecom, app, size, pixels):
    """Contact sync only; another size is 40058."""
    query = {} if size is None else {"size_type": size}
    assert f"/{pixels}?" in wecom.get("corp/get_join_qrcode", **query)["join_qrcode"]
    assert code(wecom.get("corp/get_join_qrcode", size_type=5)) == 40058
    assert code(wecom.get("corp/get_join_qrcode", app)) == 48002


@pytest.mark.parametrize("path", ["getcallbackip", "get_api_domain_ip"])
def test_addresses_are_single_and_in_segments(wecom, app, path):
    """For any token; an error has the list, empty."""
    for token in (wecom.token, app):
        addresses = wecom.get(path, token)["ip_list"]
        assert {"/" in address for address in addresses} == {True, False}
    assert wecom.get(path, "bad")["ip_list"] == []
    assert code(wecom.get(path, "bad")) == 40014


# Invitations


def test_an_invitation_goes_to_who_has_not_joined(wecom, state):
    """By userid, department with all below, and tag; none to who joined or is disabled. Bad ids are told."""
    state.add_department("研发", id=2)
    state.add_department("实验室", 2, id=3)
    for userid, places in (("a", [1]), ("B", [2]), ("c", [3]), ("d", [1]), ("e", [3]), ("f", [3])):
        state.add_member(userid, "名", department=places)
    state.set_status("e", 1)
    state.set_status("f", 2)
    state.add_tag("标签", ["d", "b"], id=5)
    body = {"user": ["a", "nobody", "A"], "party": [2, 99], "tag": [5, 6]}
    assert wecom.post("batch/invite", body) == {
        "errcode": 0,
        "errmsg": "ok",
        "invaliduser": ["nobody"],
        "invalidparty": [99],
        "invalidtag": [6],
    }
    assert state.invitations == ["a", "B", "c", "d"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user": [], "party": [], "tag": []},
        {"user": ["a"] * 1001},
        {"party": [1] * 101},
        {"tag": [1] * 101},
        {"user": "a"},
        {"party": ["1"]},
    ],
)
def test_an_invitation_of_nobody_too_many_or_the_wrong_kind_is_refused(wecom, state, body):
    """40035, with the three lists empty."""
    answer = wecom.post("batch/invite", body)
    assert code(answer) == 40035
    assert [answer[name] for name in ("invaliduser", "invalidparty", "invalidtag")] == [[], [], []]
    assert state.invitations == []


def test_an_app_invites_whom_it_sees(wecom, state, narrow):
    """Others are invalid."""
    body = {"user": ["lin", "wu"], "party": [1, 2]}
    answer = wecom.post("batch/invite", body, narrow)
    assert (answer["invaliduser"], answer["invalidparty"]) == (["wu"], [1])
    assert state.invitations == ["Lin"]


# Codes


def test_a_code_stands_for_a_member_once(wecom, state, app, clock):
    """For five minutes; then, used, made up or missing it is 40029 or 40058."""
    state.add_member("Lin", "林")

    def who(text, path="auth/getuserinfo", token=app):
        return wecom.get(path, token, code=text)

    first = sign_in_code(state, "lin")
    assert code(who(first, token=wecom.token)) == 48002
    assert who(first) == {"errcode": 0, "errmsg": "ok", "userid": "Lin"}
    assert code(who(first)) == 40029
    assert who(sign_in_code(state, "lin"), "user/getuserinfo") == {
        "errcode": 0,
        "errmsg": "ok",
        "UserId": "Lin",
        "DeviceId": "",
    }
    late = sign_in_code(state, "lin")
    clock.now += 300
    assert code(who(late)) == 40029
    assert code(who("a" * 513)) == 40029
    assert code(wecom.get("auth/getuserinfo", app)) == 40058
    gone = sign_in_code(state, "lin")
    state.remove_member("lin")
    assert code(who(gone)) == 40029


def test_somebody_outside_has_an_openid_only(wecom, state, app):
    """With the keys of old too."""
    text = sign_in_code(state, None, openid="oOutside")
    assert wecom.get("auth/getuserinfo", app, code=text)["openid"] == "oOutside"
    text = sign_in_code(state, None, openid="oOutside")
    assert wecom.get("user/getuserinfo", app, code=text)["OpenId"] == "oOutside"


def test_a_member_out_of_range_signs_in_nowhere(wecom, state, narrow):
    """50002."""
    assert code(wecom.get("auth/getuserinfo", narrow, code=sign_in_code(state, "wu"))) == 50002
    assert code(wecom.get("auth/getuserinfo", narrow, code=sign_in_code(state, "lin"))) == 0


def test_a_ticket_shows_what_the_member_agreed_to(wecom, state, app, clock):
    """What apps of today do not see, for half an hour."""
    state.add_member("Lin", "林", mobile="13800000001", email="lin@example.com")
    answer = wecom.get("auth/getuserinfo", app, code=sign_in_code(state, "lin", has_consent=True))
    body = {"user_ticket": answer["user_ticket"]}
    detail = wecom.post("auth/getuserdetail", body, app)
    assert (detail["userid"], detail["mobile"], detail["email"]) == ("Lin", "13800000001", "lin@example.com")
    assert {"gender", "avatar", "qr_code", "biz_mail", "address"} <= detail.keys()
    clock.now += 1800
    assert code(wecom.post("auth/getuserdetail", body, app)) == 40029


# Second verification


def test_second_verification_lets_a_member_join(wecom, state):
    """By contact sync: the code tells who it is, authsucc lets in."""
    state.add_member("Lin", "林")
    text = verification_code(state, "lin")
    assert wecom.post("auth/get_tfa_info", {"code": text})["userid"] == "Lin"
    assert code(wecom.post("auth/get_tfa_info", {"code": text})) == 40029
    assert state.member("lin").status == 4
    assert code(wecom.get("user/authsucc", userid="lin")) == 0
    assert state.member("lin").status == 1
    assert code(wecom.get("user/authsucc", userid="nobody")) == 60111
    assert code(wecom.get("user/authsucc")) == 41009


def test_the_old_flow_takes_the_code_once(wecom, state):
    """Contact sync may use user/getuserinfo for a code of second verification, and for no other."""
    state.add_member("Lin", "林")
    text = verification_code(state, "lin")
    assert wecom.get("user/getuserinfo", code=text)["UserId"] == "Lin"
    assert code(wecom.post("auth/get_tfa_info", {"code": text})) == 40029
    assert code(wecom.get("user/getuserinfo", code=sign_in_code(state, "lin"))) == 48002


def test_a_tfa_code_is_for_one_member_once_and_for_five_minutes(wecom, state, app, clock):
    """Everything else is 40029."""
    for userid in ("lin", "wu"):
        state.add_member(userid, "名")

    def tfa_code():
        found = wecom.post("auth/get_tfa_info", {"code": verification_code(state, "lin")}, app)
        return found["tfa_code"]

    def succeed(userid, text):
        return code(wecom.post("user/tfa_succ", {"userid": userid, "tfa_code": text}, app))

    first = tfa_code()
    assert succeed("wu", first) == 40029
    assert [succeed("lin", first), succeed("lin", first)] == [0, 40029]
    late = tfa_code()
    clock.now += 300
    assert succeed("lin", late) == 40029
    assert succeed("nobody", "x") == 60111
    assert code(wecom.post("user/tfa_succ", {"userid": "lin"}, app)) == 40058
    assert code(wecom.post("auth/get_tfa_info", {}, app)) == 40058
    assert code(wecom.post("auth/get_tfa_info", {"code": sign_in_code(state, "lin")}, app)) == 40029


def test_second_verification_has_a_range(wecom, state, narrow):
    """50002 for who is not in it, or not in the app's."""
    state.verification_range = ["WU"]
    assert code(wecom.get("user/authsucc", userid="wu")) == 0
    assert code(wecom.get("user/authsucc", userid="lin")) == 50002
    assert code(wecom.get("user/authsucc", narrow, userid="wu")) == 50002
    text = verification_code(state, "lin")
    assert code(wecom.post("auth/get_tfa_info", {"code": text}, narrow)) == 50002


@pytest.mark.parametrize("path", ["auth/get_tfa_info", "user/tfa_succ"])
def test_twenty_verifications_at_once(wecom, state, path):
    """The 21st gets 45033, whatever the other calls' limit is."""
    state.under_way[path] = 19
    assert code(wecom.post(path, {})) != 45033
    state.under_way[path] = 20
    assert code(wecom.post(path, {})) == 45033
    assert state.quotas.violations == {"at_once": 1}
