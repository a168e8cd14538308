"""The settings that hold now: read at the start, and again whenever somebody asks for it."""

from __future__ import annotations

from pathlib import Path

from wxsync.config.loader import Loaded, load_settings, secrets_of
from wxsync.config.settings import Settings
from wxsync.errors import ConfigError


class Current:
    """What the config file said when it was last good. Whatever lives long asks this, and keeps no copy."""

    def __init__(self, loaded: Loaded) -> None:
        self._take(loaded)

    def __call__(self) -> Settings:
        return self._loaded.settings

    @property
    def path(self) -> Path:
        return self._loaded.path

    def reload(self) -> tuple[str, ...]:
        """Go by the file as it is now; gives what its owner should know.

        Raises ConfigError where it is no good: then all stays as it was.
        """
        loaded = load_settings(self._loaded.path)
        if loaded.settings.mirror != self().mirror or loaded.settings.service.listen != self().service.listen:
            raise ConfigError(
                ["mirror, service.listen: cannot be changed while the daemon runs"],
                hint="restart it: systemctl restart wxsync",
            )
        self._take(loaded)
        return loaded.warnings

    def secrets(self) -> frozenset[str]:
        """Every secret text of the settings: no line of the log holds one."""
        return self._secrets

    def _take(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._secrets = secrets_of(loaded.settings)
