"""Windows in which things are counted."""

from __future__ import annotations

from wxsync.sandbox.rates import DAY, HOUR, Rates, Window, day_of


def test_a_minute_slides_and_a_day_is_of_the_calendar():
    """What is 60 seconds old counts no more; a day ends at midnight in Beijing."""
    assert [Window(60, 1).holds(100.0, now) for now in (159.9, 160.0)] == [True, False]
    midnight = 20_000 * DAY - 8 * HOUR
    assert (day_of(midnight - 1), day_of(midnight)) == (19_999, 20_000)
    assert Window(DAY, 1).holds(midnight, midnight + DAY - 1)
    assert not Window(DAY, 1).holds(midnight - 1, midnight)


def test_all_windows_must_have_room():
    """Two a minute and three an hour; an amount counts whole or not at all."""
    rates, windows = Rates(), (Window(60, 2), Window(HOUR, 3))
    assert [rates.spend("a", windows, now) for now in (0, 1, 2, 60, 61, 200)] == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]
    assert rates.spend("a", windows, HOUR)
    assert not rates.has_room("b", windows, 0, amount=3)
    assert rates.has_room("b", windows, 0, amount=2)
