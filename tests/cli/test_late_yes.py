"""Somebody thinks for long before the yes: it counts for the plan that was shown, and for no other."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.stage import SECRET, Stage
from wxsync.cli.output import Reporter
from wxsync.cli.sync import apply_once
from wxsync.config.loader import load_settings
from wxsync.engine.reconcile import holding
from wxsync.errors import SourceError
from wxsync.model.plan import Plan
from wxsync.runtime import open_corp

QUITE_A_WHILE = timedelta(minutes=5, seconds=1)


@pytest.fixture(autouse=True)
def a_yes_at_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal on stdin, at which the answer is typed already."""
    ours, theirs = pty.openpty()
    os.write(ours, b"y\n")
    with os.fdopen(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield
    os.close(ours)


@dataclass
class Watch:
    """The time, and what happens while somebody looks at a plan."""

    thinking: timedelta
    meanwhile: Callable[[], None]
    now: datetime = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def pass_by(self) -> None:
        self.now += self.thinking
        self.meanwhile()


class ThoughtfulReader(Reporter):
    """Whoever reads the plan takes the time."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(format_="text", output=None, language="en", show_personal=False)
        self._watch = watch

    def show_plan(self, plan: Plan) -> None:
        super().show_plan(plan)
        self._watch.pass_by()


def apply(stage: Stage, thinking: timedelta, meanwhile: Callable[[], None]) -> int:
    """`wxsync apply`, answered with yes after that time; gives the exit code."""
    settings = load_settings(stage.config, environment={"STAGE_SECRET": SECRET}).settings
    watch = Watch(thinking, meanwhile)

    async def act() -> int:
        async with (
            open_corp(settings, "acme", clock=lambda: watch.now) as corp,
            holding(corp, "manual") as held,
        ):
            return await apply_once(corp, held, ThoughtfulReader(watch), None, may_write=False)

    return asyncio.run(act())


def readings(stage: Stage) -> int:
    return sum(call.path == "user/list_id" for call in stage.wecom.log)


def states(stage: Stage) -> list[tuple[str, str | None]]:
    return [(run["state"], run["error"]) for run in stage.ok("runs", "--format", "json").json]


def test_a_quick_yes_is_carried_out_as_it_was_planned(stage: Stage) -> None:
    """Within five minutes nothing is read again: what came meanwhile is the next run's."""
    assert apply(stage, timedelta(minutes=5), lambda: stage.hire(13, 13)) == 0
    assert readings(stage) == 1
    assert len(stage.wecom.members) == 12


def test_a_late_yes_to_a_plan_that_still_holds_is_carried_out(stage: Stage) -> None:
    """Both sides are read again, and it is the same run that goes on."""
    assert apply(stage, QUITE_A_WHILE, lambda: None) == 0
    assert readings(stage) == 2
    assert len(stage.wecom.members) == 12
    assert states(stage) == [("applied", None)]
    assert stage.run("plan", "--exit-code").code == 0


def test_a_late_yes_to_what_is_another_plan_by_now_is_refused(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """4: nothing is written, it is said why, and the run is on record as refused."""
    assert apply(stage, timedelta(hours=2), lambda: stage.hire(13, 13)) == 4
    told = capsys.readouterr().err
    assert "Refused: nothing was written: the plan was 120 minutes old when it was agreed to" in told
    assert "Hint:    look at it as it is now: wxsync plan acme" in told
    assert not [call for call in stage.wecom.log if call.is_write]
    ((state, error),) = states(stage)
    assert state == "refused"
    assert "by now it is another one" in str(error)


def test_a_late_yes_when_a_side_cannot_be_read_any_more_is_an_error(stage: Stage) -> None:
    """The run is on record as failed, and nothing is written."""
    with pytest.raises(SourceError):
        apply(stage, QUITE_A_WHILE, lambda: stage.sql("DROP TABLE employees"))
    assert not [call for call in stage.wecom.log if call.is_write]
    assert [state for state, _ in states(stage)] == ["failed"]
