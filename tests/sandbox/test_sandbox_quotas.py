"""How often a corp and an address may call, and what it costs to overstep it."""

from __future__ import annotations

import pytest

from wxsync.sandbox.quotas import Gauge
from wxsync.sandbox.seed import fill_corp


def code(answer):
    return answer["errcode"]


def from_address(wecom, ip, path="tag/list", **query):
    """The same call from another address."""
    wecom.client._transport._inner.client = (ip, 50000)
    try:
        return wecom.get(path, **query)
    finally:
        wecom.client._transport._inner.client = ("127.0.0.1", 50000)


def test_a_minute_slides(wecom, state, clock):
    """Two halves of two minutes of the clock do not make room: any 60 seconds hold the limit."""
    state.calls_per_minute = 4
    clock.now += 60 - clock.now % 60 + 50
    assert [code(wecom.get("tag/list")) for _ in range(4)] == [0] * 4
    clock.now += 20
    assert code(wecom.get("tag/list")) == 45009


def test_over_the_minute_the_path_is_blocked_for_a_minute(wecom, state, clock):
    """Counted from the first call too many; calls meanwhile make it no longer."""
    state.calls_per_minute = 1
    wecom.get("tag/list")
    clock.now += 59
    assert code(wecom.get("tag/list")) == 45009
    clock.now += 59
    assert code(wecom.get("tag/list")) == 45009
    clock.now += 1
    assert code(wecom.get("tag/list")) == 0
    assert state.quotas.violations == {"corp_minute": 2}


def test_over_the_hour_the_path_is_blocked_for_an_hour(wecom, state, clock):
    """The hour's limit holds where the minute's is kept."""
    state.calls_per_minute, state.calls_per_hour = 2, 3
    for _ in range(3):
        assert code(wecom.get("tag/list")) == 0
        clock.now += 61
    assert code(wecom.get("tag/list")) == 45009
    clock.now += 3599
    assert code(wecom.get("tag/list")) != 0
    clock.now += 7300
    wecom.token = wecom.fetch_token(state.contact_secret)
    assert code(wecom.get("tag/list")) == 0
    assert state.quotas.violations == {"corp_hour": 2}


@pytest.mark.parametrize(
    ("switch", "violation"),
    [("calls_per_minute_and_ip", "ip_minute"), ("calls_per_hour_and_ip", "ip_hour")],
)
def test_an_address_has_limits_of_its_own(wecom, state, switch, violation):
    """Another address goes on."""
    setattr(state, switch, 1)
    assert code(wecom.get("tag/list")) == 0
    assert code(wecom.get("tag/list")) == 45009
    assert code(from_address(wecom, "203.0.113.9")) == 0
    assert state.quotas.violations == {violation: 1}


def test_a_refused_call_counts_for_no_limit(wecom, state, clock):
    """What the address's limit refuses does not use up the corp's."""
    state.calls_per_minute, state.calls_per_minute_and_ip = 3, 1
    wecom.get("tag/list")
    for _ in range(5):
        assert code(wecom.get("tag/list")) == 45009
    assert code(from_address(wecom, "203.0.113.9")) == 0
    assert code(from_address(wecom, "203.0.113.10")) == 0
    assert code(from_address(wecom, "203.0.113.11")) == 45009


def test_debug_has_five_calls_a_minute(wecom, state):
    """`debug=1` is counted by itself, limits or not."""
    assert [code(wecom.get("tag/list", debug=1)) for _ in range(6)] == [0] * 5 + [45009]
    assert code(wecom.get("tag/list")) == 0
    assert state.quotas.violations == {"debug": 1}


def test_wrong_secrets_ban_the_address_for_an_hour(wecom, state, clock):
    """From then on 45009 for everything from there, the right secret included."""
    state.wrong_secrets_per_hour = 3
    query = {"corpid": state.corp_id}
    wrong = [code(wecom.get("gettoken", None, **query, corpsecret=f"no-{n}")) for n in range(4)]
    assert wrong == [40001, 40001, 40001, 45009]
    assert code(wecom.get("gettoken", None, **query, corpsecret=state.contact_secret)) == 45009
    assert code(wecom.get("tag/list")) == 45009
    assert code(from_address(wecom, "203.0.113.9")) == 0
    clock.now += 3600
    assert code(wecom.get("gettoken", None, **query, corpsecret=state.contact_secret)) == 0
    assert state.quotas.violations == {"banned": 3}


def test_wrong_secrets_of_long_ago_ban_nobody(wecom, state, clock):
    """Only those of one hour count."""
    state.wrong_secrets_per_hour = 2
    for number in range(4):
        answer = wecom.get("gettoken", None, corpid=state.corp_id, corpsecret=f"no-{number}")
        assert code(answer) == 40001
        clock.now += 3601


def test_lookups_that_miss_end_the_call_for_the_day(wecom, state, clock):
    """Above a fifth of the corp, until midnight in Beijing; a hit is refused as well."""
    fill_corp(state, members=10)
    known = state.member("u00001").mobile
    missing = [code(wecom.post("user/getuserid", {"mobile": f"1370000000{n}"})) for n in range(4)]
    assert missing == [46004, 46004, 46004, 45009]
    assert code(wecom.post("user/getuserid", {"mobile": known})) == 45009
    assert state.quotas.violations == {"lookups": 2}
    assert (clock.now + 8 * 3600) % 86400 == 57_600
    clock.now += 86400 - 57_600 - 1
    wecom.token = wecom.fetch_token(state.contact_secret)
    assert code(wecom.post("user/getuserid", {"mobile": known})) == 45009
    clock.now += 1
    assert code(wecom.post("user/getuserid", {"mobile": known})) == 0


def test_a_month_takes_three_times_the_account_cap(wecom, state, clock):
    """Deleting makes room under the cap, not for the month; then 45009 for 30 days."""
    state.account_cap = 2
    for number in range(6):
        assert code(wecom.make(f"u{number}")) == 0
        assert code(wecom.get("user/delete", userid=f"u{number}")) == 0
    assert code(wecom.make("u7")) == 45009
    assert state.quotas.violations == {"creations": 1}
    clock.now += 30 * 86400
    wecom.token = wecom.fetch_token(state.contact_secret)
    assert code(wecom.make("u8")) == 0


def test_a_full_corp_is_told_by_another_code(wecom, state):
    """45024 where the accounts are all taken."""
    state.account_cap = 1
    assert [code(wecom.make(userid)) for userid in ("a", "b")] == [0, 45024]
    assert state.quotas.violations == {}


def test_a_gauge_lets_the_limit_through_in_any_window():
    """10,000 in a row, then one for each that is a window old."""
    gauge = Gauge(60)
    admitted = []
    for tick in range(1500):
        now = tick * 0.1
        if gauge.count < 100 or not gauge.is_full(now, 100):
            gauge.add(now)
            admitted.append(now)
    for start in range(90):
        assert sum(start <= now < start + 60 for now in admitted) <= 101
