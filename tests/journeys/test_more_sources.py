"""The journeys of the first issue in short: from a MariaDB, and from files, to WeCom."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.days import a_day
from tests.journeys.exported import export, file_stage
from tests.journeys.hr import FIRST_DAY, found, hr_database
from tests.journeys.oracle import Company, compare
from tests.journeys.stage import MORNING, Stage, described, failures, settings_of
from tests.journeys.test_hr_to_wecom import WIDE, live
from tests.servers.mariadb import MariaDbServer
from wxsync.config.settings import MirrorSettings
from wxsync.mirror import schema


def test_a_company_in_a_mariadb_is_followed_day_by_day(
    mariadb_url: str, mariadb_server: MariaDbServer, tmp_path: Path
) -> None:
    """Source and mirror on MariaDB: each day one apply, and nothing is left to do."""
    name = mariadb_server.create_database()
    mirror = mariadb_server.url(name)
    schema.upgrade(mirror)
    settings = settings_of(mariadb_url, tmp_path / "none.db", limits=WIDE)
    stage = Stage(settings.model_copy(update={"mirror": MirrorSettings(url=mirror)}))
    live(stage, found(31, members=150, departments=30, tags=6), mariadb_url, 4, intensity=2)
    mariadb_server.drop_database(name)


@pytest.mark.parametrize(
    ("ending", "encoding"), [("csv", "gb18030"), ("csv", "utf-8-sig"), ("json", "utf-8"), ("xlsx", "")]
)
def test_a_company_in_files_is_followed_day_by_day(tmp_path: Path, ending: str, encoding: str) -> None:
    """Whatever the files are written in: each day one apply, and nothing is left to do."""
    hr = found(32, members=120, departments=20, tags=4)
    rule = {"干部": "grade | int >= 10"}
    stage = file_stage(tmp_path, ending, limits=WIDE, tags=rule)
    company = Company()
    with hr_database(f"sqlite:///{tmp_path / 'hr.db'}") as database:
        for day in range(4):
            today = FIRST_DAY + timedelta(days=day)
            if day:
                a_day(hr, today, intensity=2)
            hr.save(database)
            export(hr, tmp_path / "export", ending, encoding)
            assert failures(stage.apply()) == []
            company.follow(database, today)
            assert compare(stage.state, company) == []
            assert described(stage.plan().plan.writes) == []
            stage.now = MORNING + timedelta(days=day + 1)
