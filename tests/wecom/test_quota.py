from __future__ import annotations

from tests.wecom.line import Clock
from wxsync.wecom.quota import Quota


def test_a_full_window_says_how_long_to_wait():
    """The call over the limit is let out when the oldest of the window is a minute old, not before."""
    clock = Clock()
    quota = Quota(calls=3, window=60, clock=clock)
    for _ in range(3):
        assert quota.claim("user/update") == 0
        clock.now += 10
    assert quota.claim("user/update") == 30
    clock.now += 30
    assert quota.claim("user/update") == 0
    assert quota.claim("user/update") == 10


def test_paths_are_counted_apart():
    """WeCom's limit is per API: a full window of one path holds up no other."""
    quota = Quota(calls=1, clock=Clock())
    assert quota.claim("user/update") == 0
    assert quota.claim("user/update") == 60
    assert quota.claim("user/delete") == 0


def test_a_held_path_waits_for_its_end():
    """After WeCom's 45009 nobody calls the path until the time is over; a shorter hold does not cut it."""
    clock = Clock()
    quota = Quota(clock=clock)
    quota.hold("user/update", 61)
    quota.hold("user/update", 5)
    assert quota.claim("user/update") == 61
    clock.now += 61
    assert quota.claim("user/update") == 0
