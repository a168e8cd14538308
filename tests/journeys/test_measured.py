"""What metrics say after real runs: planned, done, failed, refused, dead; and that counts outlive runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.journeys.crash import die_at
from tests.journeys.story import Story
from tests.journeys.torn import torn
from wxsync.errors import GuardError, SourceError
from wxsync.mirror import schema
from wxsync.mirror.retention import Retention, tidy
from wxsync.mirror.store import Store
from wxsync.service.facts import FactsReader
from wxsync.service.samples import samples

REFUSED = 60103


def _said(labels: tuple[str, ...]) -> list[str]:
    return [label for label in labels if label not in ("acme", "")]


class Told:
    """The numbers of a story's only sync, without its name."""

    def __init__(self, story: Story) -> None:
        store = Store(schema.prepare(story.stage.settings.mirror.full_url))
        reader = FactsReader(store, lambda: story.stage.settings, clock=lambda: story.stage.now)
        self.numbers = {
            (each.name.removeprefix("wxsync_"), *_said(each.labels)): each.number
            for each in samples(reader.read())
        }
        store.close()

    def __getitem__(self, place: str) -> float:
        """By the metric's name and labels in one text."""
        return self.numbers[tuple(place.split())]

    def __contains__(self, place: str) -> bool:
        return tuple(place.split()) in self.numbers


def test_a_first_load_and_a_day(tmp_path: Path) -> None:
    """What the last run did stands beside what all did; nothing planned is a number too."""
    story = Story(tmp_path, schedule="*/15 * * * *")
    story.people(4)
    before = story.stage.now
    story.apply()
    first = Told(story)
    story.stage.later(minutes=15)
    story.goes("E2")
    story.apply()
    second = Told(story)
    story.stage.later(minutes=15)
    story.apply()
    third = Told(story)

    assert (first["plan_changes member create"], first["run_last_changes member create done"]) == (4, 4)
    assert (first["changes_total member create done"], first["changes_total member create failed"]) == (4, 0)
    assert first["run_last_success_timestamp_seconds"] == before.timestamp()
    assert first["run_interval_seconds"] == 900
    assert first["source_rows hr members"] == 4
    assert first["source_complete hr members"] == 1
    assert (second["plan_changes member create"], second["plan_changes member disable"]) == (0, 1)
    assert second["changes_total member create done"] == 4
    assert second["changes_total member disable done"] == 1
    assert third["run_last_changes member disable done"] == 0
    assert third["changes_total member disable done"] == 1
    assert third["runs_total apply applied"] == 3
    assert third["run_last_state applied"] == 1


def test_what_wecom_refuses_is_counted_by_its_errcode(tmp_path: Path) -> None:
    """In the last run, and in all; the next run has none."""
    story = Story(tmp_path)
    story.people(3)
    story.wecom.faults.answer("user/create", REFUSED)
    story.apply()
    first = Told(story)
    story.apply()
    second = Told(story)

    assert first[f"run_last_failures {REFUSED}"] == 1
    assert first["changes_total member create failed"] == 1
    assert f"run_last_failures {REFUSED}" not in second
    assert second[f"failures_total {REFUSED}"] == 1


def test_a_row_that_cannot_be_used_is_counted_by_its_rule(tmp_path: Path) -> None:
    """By the kind and the rule, never by whose it is."""
    story = Story(tmp_path)
    story.people(3)
    story.person("E9", mobile="12")
    story.apply()

    assert Told(story)["plan_rejected member phone_number"] == 1


def test_a_plan_over_its_limit_waits_until_it_is_approved(tmp_path: Path) -> None:
    """The headroom is below nothing, and the last success stays where it was."""
    story = Story(tmp_path, limits={"member_remove": {"floor": 1, "max": 1}})
    story.people(5)
    story.apply()
    began = story.stage.now
    story.stage.later(hours=1)
    for gone in ("E1", "E2", "E3"):
        story.goes(gone)
    story.save()
    with pytest.raises(GuardError):
        story.stage.apply()
    refused = Told(story)
    story.stage.apply(approved=story.digest())
    approved = Told(story)

    assert refused["plan_waiting"] == 1
    assert refused["run_last_state refused"] == 1
    assert refused["run_last_success_timestamp_seconds"] == began.timestamp()
    assert refused["run_last_success_age_seconds"] == 3600
    assert (refused["limit_used member_remove"], refused["limit_allowed member_remove"]) == (3, 1)
    assert refused["limit_headroom_ratio member_remove"] == -2
    assert refused["run_failures_in_a_row"] == 0
    assert approved["plan_waiting"] == 0


def test_an_incomplete_reading_is_no_success(tmp_path: Path) -> None:
    """The run went to its end, and did not see everything."""
    story = Story(tmp_path)
    story.people(4)
    story.apply()
    began = story.stage.now
    story.stage.later(hours=1)
    story.save()
    story.stage.sources = [torn(story)]
    story.stage.apply()
    told = Told(story)

    assert told["run_last_state applied"] == 1
    assert told["source_complete hr members"] == 0
    assert told["run_last_success_timestamp_seconds"] == began.timestamp()


def test_failures_in_a_row_are_counted_until_one_ends_well(tmp_path: Path) -> None:
    """A source that is away."""
    story = Story(tmp_path)
    story.people(2)
    story.apply()
    for _ in range(3):
        story.stage.later(minutes=15)
        (tmp_path / "hr.db").rename(tmp_path / "away.db")
        with pytest.raises(SourceError):
            story.stage.apply()
        (tmp_path / "away.db").rename(tmp_path / "hr.db")
    failing = Told(story)
    story.stage.apply()
    well = Told(story)

    assert failing["run_failures_in_a_row"] == 3
    assert failing["run_last_state failed"] == 1
    assert failing["runs_total apply failed"] == 3
    assert well["run_failures_in_a_row"] == 0


def test_a_look_by_hand_is_no_success_of_a_sync_that_applies(tmp_path: Path) -> None:
    """And it is one of a sync that only plans."""
    story = Story(tmp_path)
    story.people(2)
    story.save()
    story.stage.plan()
    applying = Told(story)
    story.configure(mode="plan")
    planning = Told(story)

    assert "run_last_success_timestamp_seconds" not in applying
    assert applying["plan_changes member create"] == 2
    assert planning["run_last_success_timestamp_seconds"] == story.stage.now.timestamp()
    assert planning["runs_total plan planned"] == 1


def test_what_a_dead_run_did_is_counted_by_the_next(tmp_path: Path) -> None:
    """Each change once; of those without an answer nobody knows yet what became of them."""
    story = Story(tmp_path)
    story.people(6)
    story.save()
    assert die_at(story.stage, 6, is_after=False)
    dead, by_then = Told(story), len(story.wecom.members)
    story.apply()
    told = Told(story)

    assert dead["run_at_work_seconds"] > 0
    assert told["run_at_work_seconds"] == 0
    assert told["runs_total apply stopped"] == 1
    assert told["changes_total member create unknown"] >= by_then > 0
    assert told["changes_total member create done"] == 6 - by_then


def test_counts_outlive_the_runs(tmp_path: Path) -> None:
    """Where old runs are struck nothing becomes less: Prometheus would take it for a new beginning."""
    story = Story(tmp_path)
    story.people(3)
    story.apply()
    story.stage.later(days=60)
    story.goes("E1")
    story.apply()
    before = Told(story)
    store = Store(schema.prepare(story.stage.settings.mirror.full_url))
    struck = tidy(store, "acme", Retention(keep_runs_days=31), story.stage.now)
    store.close()
    after = Told(story)

    assert struck.runs >= 1
    totals = [place for place in before.numbers if place[0].endswith("_total")]
    assert {place: after.numbers[place] for place in totals} == {
        place: before.numbers[place] for place in totals
    }
    assert after["changes_total member create done"] == 3


def test_a_clock_that_was_ahead_gives_no_age_below_nothing(tmp_path: Path) -> None:
    """The run ended in a time that is yet to come."""
    story = Story(tmp_path)
    story.people(1)
    story.apply()
    story.stage.now = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=1)

    assert Told(story)["run_last_success_age_seconds"] == 0
