"""Which outcomes count as failures, and how many of them stop a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from pydantic import ValidationError

from wxsync.config.breaker import BreakerSettings
from wxsync.engine.breaker import Breaker, Noted, noted
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.message import say
from wxsync.model.run import Outcome, OutcomeState

GOOD = Noted()


def bad(number: int = 0, errcode: int = 60103) -> Noted:
    hint = say("this number is no good: {number}", number=number)
    return Noted(("member", f"E{number}", errcode), errcode, hint)


def breaker(some: Iterable[Noted] = (), **settings: Any) -> Breaker:
    made = Breaker(BreakerSettings(**settings))
    made.note(some)
    return made


def outcome(state: OutcomeState, attempts: int = 1) -> Noted | None:
    change = Change(
        kind=Kind.MEMBER, verb=Verb.UPDATE, key="E1", id="e1", name=None, fields={}, why=say("why")
    )
    return noted(change, Outcome(n=1, state=state, attempts=attempts))


def test_what_counts() -> None:
    """Failed and unknown are failures; what was not tried, or needed no call, is not counted."""
    assert outcome(OutcomeState.DONE) == GOOD
    for state in (OutcomeState.FAILED, OutcomeState.UNKNOWN):
        found = outcome(state)
        assert found is not None
        assert found.failure == ("member", "E1", None)
    assert outcome(OutcomeState.SKIPPED, 0) is None
    assert outcome(OutcomeState.DONE, 0) is None


def test_ten_of_two_hundred_go_on_and_eleven_stop() -> None:
    """Five in a hundred of the last 200: the eleventh is one too many, however soon it comes."""
    assert breaker([GOOD] * 300 + [bad(n) for n in range(10)]).verdict() is None
    assert breaker([GOOD] * 300 + [bad(n) for n in range(11)]).verdict() is not None
    assert breaker([bad(n) for n in range(11)]).verdict() is not None


def test_what_lies_further_back_is_forgotten() -> None:
    """Ten failures, 190 that were good, and one more failure: eleven of 201, of which the first is past."""
    some = [bad(n) for n in range(10)] + [GOOD] * 190
    assert breaker([*some, bad(11)]).verdict() is None
    assert breaker([*some[1:], bad(11), bad(12)]).verdict() is None
    assert breaker([*some[:100], bad(11)]).verdict() is not None


def test_the_verdict_names_what_failed_most() -> None:
    """Errcode, hint and how often, the most frequent first; hints count together whatever their facts."""
    verdict = breaker([GOOD, *(bad(n) for n in range(8)), *(bad(n, 60104) for n in range(3))]).verdict()
    assert verdict is not None
    assert verdict.code == "breaker"
    assert verdict.message == (
        "11 of the last 12 changes that were tried failed, and no more than 10 may. Most often: "
        "8 times errcode 60103 (this number is no good: 7); 3 times errcode 60104 (this number is no good: 2)"
    )


def test_one_bad_record_of_a_trial_stops_nobody() -> None:
    """Of twenty one may fail, and of five one too; two are too many."""
    assert breaker().verdict_on_trial([GOOD] * 19 + [bad()]) is None
    assert breaker().verdict_on_trial([GOOD] * 4 + [bad()]) is None
    assert breaker().verdict_on_trial([GOOD] * 18 + [bad(1), bad(2)]) is not None


def test_a_file_is_judged_by_itself() -> None:
    """Five in a hundred of its rows; of a short one as many as of calls."""
    assert breaker().verdict_on_file([GOOD] * 950 + [bad(n) for n in range(50)]) is None
    assert breaker().verdict_on_file([GOOD] * 949 + [bad(n) for n in range(51)]) is not None
    assert breaker().verdict_on_file([GOOD] * 10 + [bad(n) for n in range(10)]) is None
    assert breaker().verdict_on_file([bad(n) for n in range(11)]) is not None


def test_what_failed_in_the_last_run_already_is_no_news() -> None:
    """The same record with the same errcode counts no more; with another errcode it does."""
    known = frozenset(("member", f"E{n}", 60103) for n in range(11))
    run = breaker([bad(n) for n in range(11)])
    run.forgive(known)
    assert run.verdict() is None
    run.note([bad(n) for n in range(11)])
    assert run.verdict() is None
    assert run.verdict_on_trial([bad(1), bad(2), GOOD]) is None
    assert run.verdict_on_file([bad(n) for n in range(11)]) is None
    run.note([bad(n, 60104) for n in range(11)])
    assert run.verdict() is not None


def test_the_config_moves_it() -> None:
    """Another share, of other numbers."""
    assert breaker([bad(1), bad(2)], percent=10, of=20).verdict() is None
    assert breaker([bad(1), bad(2), bad(3)], percent=10, of=20).verdict() is not None
    assert breaker([bad(1)], percent=0).verdict() is not None


@pytest.mark.parametrize(
    "settings",
    [
        {"trial": 0},
        {"trial": 101},
        {"trial_from": 1001},
        {"trial_from": -1},
        {"percent": 26},
        {"percent": -1},
        {"percent": True},
        {"of": 19},
        {"of": 1001},
        {"off": True},
    ],
)
def test_nothing_turns_it_off(settings: dict[str, Any]) -> None:
    """Each number has its bounds, and there is no switch."""
    with pytest.raises(ValidationError):
        BreakerSettings.model_validate(settings)
