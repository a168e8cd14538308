"""The way of reading is found once, remembered, and noticed when it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.story import Story
from wxsync.errors import DeniedError
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.mirror.ways import load_way
from wxsync.model.seen import ReadingWay

APP = {"agent_id": 1000002, "secret": "sandbox-app-secret"}
IDS_ONLY = ["department/simplelist", "tag/list", "user/list_id"]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    told = Story(tmp_path)
    told.people(3)
    told.save()
    return told


def way_of(story: Story) -> ReadingWay | None:
    store = Store(prepare(f"sqlite:///{story.mirror}"))
    with store.reading() as connection:
        known = load_way(connection, "acme")
    store.close()
    return None if known is None else known.way


def calls(story: Story) -> list[str]:
    """The paths of one plan's calls; whether it needs a new token is another matter."""
    before = len(story.wecom.log)
    story.stage.plan()
    return sorted(call.path for call in story.wecom.log[before:] if call.path != "gettoken")


def tried(story: Story) -> set[str | None]:
    """By whom a plan asked for details."""
    before = len(story.wecom.log)
    story.stage.plan()
    return {call.who for call in story.wecom.log[before:] if call.path == "department/list"}


def test_a_corp_that_shows_only_ids_is_asked_once_a_day(story: Story) -> None:
    """The first plan asks for details in one call, the next ones not, and after a day one does again."""
    assert calls(story) == ["department/list", *IDS_ONLY]
    assert way_of(story) is ReadingWay.IDS
    for _ in range(3):
        assert calls(story) == IDS_ONLY
    story.stage.later(hours=23)
    assert calls(story) == IDS_ONLY
    story.stage.later(hours=2)
    assert calls(story) == ["department/list", *IDS_ONLY]
    assert calls(story) == IDS_ONLY


def test_a_new_permission_is_noticed_within_a_day(story: Story) -> None:
    """And used until it goes: then a run that finds it gone reads ids, without an error, and the next one
    asks again, for it may have been a refusal of the moment."""
    story.settle()
    story.wecom.legacy_ip = True
    assert tried(story) == set()
    story.stage.later(hours=25)
    assert tried(story) == {"contact"}
    assert way_of(story) is ReadingWay.CONTACT
    story.wecom.legacy_ip = False
    assert tried(story) == {"contact"}
    assert tried(story) == {"contact"}
    assert way_of(story) is ReadingWay.IDS
    assert tried(story) == set()


def test_an_app_is_used_from_the_run_on_that_has_it(story: Story) -> None:
    """No day is waited for; the app is remembered, tried first, and forgotten with its table."""
    story.settle()
    story.configure(app=APP)
    assert tried(story) == {"contact", "app:1000002"}
    assert way_of(story) is ReadingWay.APP
    assert tried(story) == {"app:1000002"}
    story.configure()
    assert tried(story) == {"contact"}
    assert way_of(story) is ReadingWay.IDS
    assert tried(story) == set()


def test_a_wrong_secret_of_the_app_is_said_to_be_the_apps(story: Story) -> None:
    """The run stops, for the address would be banned, and names the secret to mend."""
    story.configure(app={**APP, "secret": "another"})
    with pytest.raises(DeniedError, match=r"40001.*\(asked with corp\.acme\.app\.secret\)"):
        story.stage.plan()
