"""The whole of it over real HTTP: what people see in the days of a sync."""

from __future__ import annotations

from pathlib import Path

from tests.service.telling import CHIEF, company

ALL = {"all": {"type": "app", "recipients": [CHIEF]}}


def test_a_silent_sync_is_told_of_once_and_so_is_its_return(tmp_path: Path) -> None:
    """No run for two intervals; then one that has nothing to write."""
    with company(tmp_path, ALL, people=5, schedule="0 * * * *") as told:
        told.run()
        told.tick(hours=1)
        assert told.messages == []
        told.tick(hours=2)
        [card] = told.cards
        assert card.content["main_title"]["title"] == "acme: no success for two intervals"
        assert (
            "the last complete run ended at 2026-03-10 09:00+08:00"
            in card.content["quote_area"]["quote_text"]
        )
        told.tick(hours=5)
        told.notifier = told.begun()
        told.tick(hours=5)
        assert len(told.cards) == 1
        told.run()
        told.tick(minutes=5)
        assert [each.content["main_title"]["title"] for each in told.cards[1:]] == ["acme: all is well again"]
        told.run()
        told.tick(minutes=20)
        assert len(told.cards) == 2


def test_a_daemon_that_begins_is_not_silent_at_once(tmp_path: Path) -> None:
    """It was down for days: first it makes up for what was missed."""
    with company(tmp_path, ALL, people=5, schedule="0 * * * *") as told:
        told.run()
        told.story.stage.later(days=3)
        told.notifier = told.begun()
        told.tick(minutes=5)
        assert told.messages == []
        told.tick(minutes=6)
        assert len(told.messages) == 1


def test_a_source_that_is_away_is_told_of_once_a_day(tmp_path: Path) -> None:
    """With what went wrong and how to mend it, and that it is back."""
    with company(tmp_path, ALL, people=5) as told:
        source = told.settings.source["hr"].model_copy(update={"members": "SELECT * FROM nobody"})
        before, told.settings = told.settings, told.settings.model_copy(update={"source": {"hr": source}})
        for _ in range(3):
            told.run()
            told.story.stage.later(minutes=15)
        [card] = told.cards
        assert card.content["main_title"]["title"] == "acme: failed, nothing was written"
        assert "nobody" in card.content["quote_area"]["quote_text"]
        told.settings = before
        told.run()
        told.tick(minutes=6)
        assert [each.content["main_title"]["title"] for each in told.cards[1:]] == ["acme: all is well again"]
