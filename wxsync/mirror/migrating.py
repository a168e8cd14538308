"""Migrations, carried out by alembic.

A module of its own, which `wxsync.mirror.schema` loads when there is something to migrate: alembic takes
10 MB and a tenth of a second, and hardly any command migrates.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def migrate(engine: Engine, directory: Path) -> None:
    """Runs every missing migration in one transaction; who comes second waits and has nothing to do."""
    config = config_of(directory)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def config_of(directory: Path) -> Config:
    """alembic's configuration for the migrations that are there, without any file of its own."""
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
