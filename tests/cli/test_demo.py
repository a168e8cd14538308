"""The demo tells the whole story, stops where it is not true, and leaves what can be played with."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.stage import ESCAPE, MOBILE, TIMEOUT, WXSYNC
from wxsync.cli.demo_company import COMPANY_CODE, found_company, levels_of
from wxsync.cli.demo_story import ADMIN, Stage, tell_story
from wxsync.cli.demo_teller import Teller, language_of
from wxsync.config.loader import load_settings
from wxsync.errors import WxsyncError
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

FILES = {"hr.db", "wxsync.toml", "mirror.db", "plan.html"}


@dataclass(frozen=True)
class Told:
    """A demo that somebody ran."""

    done: subprocess.CompletedProcess[str]
    folder: Path
    seconds: float


def run(*arguments: str | Path, locale: str = "C.UTF-8") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return subprocess.run(
        [WXSYNC, *arguments],
        env={**environment, "LANG": locale},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("demo") / "kept"
    started = time.monotonic()
    done = run("demo", "--keep", folder)
    return Told(done, folder, time.monotonic() - started)


def people(folder: Path, where: str = "1") -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "hr.db")) as connection:
        return connection.execute(f"SELECT full_name, mobile FROM employees WHERE {where}").fetchall()


def test_the_story_comes_true_in_time(told: Told) -> None:
    """300 people, 40 departments and 6 tags; every step holds, in under 20 seconds."""
    assert told.done.returncode == 0, told.done.stderr
    assert told.done.stderr == ""
    assert "300 people, 40 departments and 6 tags are in WeCom" in told.done.stdout
    assert len(re.findall(r"^ [1-7]  ", told.done.stdout, re.MULTILINE)) == 7
    assert told.done.stdout.count("✓ The plan is empty, and WeCom got no call that writes.") == 2
    assert "✓ WeCom was read and not written: not one call." in told.done.stdout
    assert "✓ No invitation was sent." in told.done.stdout
    assert ESCAPE not in told.done.stdout
    assert told.seconds < 20


def test_it_leaves_its_files_to_their_owner(told: Told) -> None:
    """Databases, config and report lie in --keep, are named, and are readable by their owner alone."""
    assert {path.name for path in told.folder.iterdir()} == FILES
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in told.folder.iterdir())
    assert stat.S_IMODE(told.folder.stat().st_mode) == 0o700
    assert all(name in told.done.stdout for name in FILES)
    assert str(told.folder) in told.done.stdout


def test_the_report_is_the_dry_run_of_the_day(told: Told) -> None:
    """The page shows who came, left and moved, with every phone number masked; so does the terminal."""
    page = (told.folder / "plan.html").read_text("utf-8")

    assert "品牌与市场部" in page
    assert all(name in page for name, _ in people(told.folder, "emp_no > 'E0312'"))
    assert "138****" in page
    assert MOBILE.findall(page) == []
    assert MOBILE.findall(told.done.stdout) == []


def test_the_config_is_one_that_a_user_can_have(told: Told) -> None:
    """The kept config loads without a warning and without the demo's own process."""
    loaded = load_settings(told.folder / "wxsync.toml")

    assert loaded.warnings == ()
    assert loaded.settings.service.language == "en"
    assert loaded.settings.sync["demo"].policy.leavers == "disable"


def test_what_it_says_to_type_next_works(told: Told) -> None:
    """A new local WeCom on the same port, the mirror away: apply loads everybody, and then plan is empty."""
    config = told.folder / "wxsync.toml"
    port = int(load_settings(config).settings.corp["demo"].base_url.rpartition(":")[2])
    assert f"sandbox --listen 127.0.0.1:{port}" in told.done.stdout
    assert f"cd {told.folder} && rm mirror.db" in told.done.stdout
    (told.folder / "mirror.db").unlink()
    state = SandboxState()

    with running_sandbox(state, port=port):
        applied = run("apply", "--yes", "--config", config)
        planned = run("plan", "--exit-code", "--config", config)

    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert len(state.members) == len(people(told.folder, "status = 'active'")) == 301


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """--keep refuses a directory with a file of ours, and leaves it as it was; other files do no harm."""
    (tmp_path / "hr.db").write_text("mine", encoding="utf-8")
    (tmp_path / "other").touch()

    done = run("demo", "--keep", tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert f"--keep {tmp_path}: nothing is overwritten, and there is already: hr.db" in done.stderr
    assert (tmp_path / "hr.db").read_text(encoding="utf-8") == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"hr.db", "other"}


@pytest.mark.parametrize("members", [30, 50])
def test_a_small_company_in_chinese(members: int, tmp_path: Path) -> None:
    """--members makes it smaller; where the environment speaks Chinese, so do demo, config and report."""
    (tmp_path / "other").touch()

    done = run("demo", "--members", str(members), "--keep", tmp_path, locale="zh_CN.UTF-8")

    assert done.returncode == 0, done.stderr
    assert f"成员 {members} 人、部门 12 个、标签 6 个" in done.stdout
    assert "No invitation" not in done.stdout
    assert "没有发出任何邀请" in done.stdout
    assert load_settings(tmp_path / "wxsync.toml").settings.service.language == "zh"
    assert '<html lang="zh-CN"' in (tmp_path / "plan.html").read_text("utf-8")


@pytest.mark.parametrize("members", ["29", "10001"])
def test_a_company_has_its_bounds(members: str) -> None:
    """A size that the story cannot be told with is wrong usage."""
    assert run("demo", "--members", members).returncode == 2


def test_a_step_that_does_not_hold_ends_the_story(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where WeCom refuses one person, the demo shows it and says that this should not be."""
    state = SandboxState()
    state.add_member(ADMIN, "企业管理员")
    state.faults.answer("user/create", 60104)

    with running_sandbox(state) as base_url, pytest.raises(WxsyncError, match="this should hold"):
        tell_story(Stage(folder=tmp_path, state=state, teller=Teller("en"), base_url=base_url), 30)

    assert "60104" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_ALL": "", "LC_MESSAGES": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_that_of_the_environment(environment: dict[str, str], language: str) -> None:
    """LC_ALL goes before LC_MESSAGES and that before LANG; what is not Chinese is English."""
    assert language_of(environment) == language


@pytest.mark.parametrize("members", [30, 300, 10_000])
def test_a_company_can_be(members: int) -> None:
    """Phone numbers and addresses are valid and nobody shares one; the tree is whole, siblings differ."""
    company = found_company(members)
    units = {unit.code: unit for unit in company.units}
    active = [person for person in company.people if person.status == "active"]

    assert len(active) == members
    assert len(units) - 1 == max(12, members * 40 // 300)
    assert levels_of(company) == 4
    assert all(MOBILE.fullmatch(person.mobile) for person in company.people)
    for field in ("emp_no", "mobile", "email"):
        assert len({getattr(person, field) for person in company.people}) == len(company.people)
    assert all(unit.parent_code in units for unit in company.units if unit.code != COMPANY_CODE)
    assert len({(unit.parent_code, unit.name) for unit in company.units}) == len(company.units)
    assert len(company.places) > members
    assert {tag for tag, _ in company.tags} == {"新员工", "内训师", "急救员", "安全员", "骑行社"}
