"""A source whose readings are never proven to be all, in front of a real one."""

from __future__ import annotations

from tests.journeys.story import Story
from tests.sources.interrupted import Torn
from wxsync.config.settings import SqlSourceSettings
from wxsync.sources.sql import SqlSource


def torn(story: Story) -> Torn:
    settings = story.stage.settings.source["hr"]
    assert isinstance(settings, SqlSourceSettings)
    return Torn(SqlSource("hr", settings))
