"""A journey's config with its mirror on a server."""

from __future__ import annotations

from wxsync.config.settings import MirrorSettings, Settings


def with_mirror(settings: Settings, url: str) -> Settings:
    """The same config with another mirror."""
    return settings.model_copy(update={"mirror": MirrorSettings.model_validate({"url": url})})
