"""`wxsync install-service`: what it writes, what it leaves alone, and what systemd says to it."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.servers.presence import require
from wxsync.cli.main import run
from wxsync.config.loader import load_settings

UNIT = Path("etc/systemd/system/wxsync.service")
SYSUSERS = Path("etc/sysusers.d/wxsync.conf")
TMPFILES = Path("etc/tmpfiles.d/wxsync.conf")
CONFIG = Path("etc/wxsync/config.toml")


def install(root: Path, *options: str) -> int:
    return run(["install-service", "--root", str(root), *options])


def directive(text: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def test_the_files_of_a_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A unit that starts this installation's wxsync, a user, directories, a config for its group alone."""
    assert install(tmp_path) == 0

    unit = (tmp_path / UNIT).read_text(encoding="utf-8")
    said = capsys.readouterr().out
    assert directive(unit, "ExecStart") == [
        f"{Path(sys.executable).parent / 'wxsync'} serve --config /etc/wxsync/config.toml"
    ]
    assert directive(unit, "User") == directive(unit, "Group") == ["wxsync"]
    assert stat.S_IMODE((tmp_path / UNIT).stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / CONFIG).stat().st_mode) == 0o640
    for word in (
        "systemd-sysusers",
        "systemd-tmpfiles",
        "daemon-reload",
        "enable --now wxsync",
        "sudo -u wxsync",
    ):
        assert word in said


def test_the_config_to_begin_with(tmp_path: Path) -> None:
    """It is the example, and its mirror lies where the service may write."""
    install(tmp_path)

    secrets = re.findall(r'^\w+ = "env:(\w+)"', (tmp_path / CONFIG).read_text(encoding="utf-8"), re.MULTILINE)
    settings = load_settings(tmp_path / CONFIG, environment=dict.fromkeys(secrets, "made-up")).settings
    assert settings.mirror.url.endswith("////var/lib/wxsync/mirror.db")


def test_other_names(tmp_path: Path) -> None:
    """User, config and program go wherever they stand, with what systemd would take for its own marked."""
    program = tmp_path / "100% wx" / "wxsync"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    options = ("--user", "hr-sync", "--config", "/etc/hr/w.toml", "--exec", str(program))
    assert install(tmp_path / "image", *options) == 0

    texts = {
        path: (tmp_path / "image" / path).read_text(encoding="utf-8") for path in (UNIT, SYSUSERS, TMPFILES)
    }
    escaped = str(program).replace("%", "%%")
    assert directive(texts[UNIT], "ExecStart") == [f'"{escaped}" serve --config /etc/hr/w.toml']
    assert directive(texts[UNIT], "User") == directive(texts[UNIT], "Group") == ["hr-sync"]
    assert "u hr-sync -" in texts[SYSUSERS]
    assert "z /etc/hr/w.toml 0640 root hr-sync" in texts[TMPFILES]
    assert "d /var/lib/wxsync 0700 hr-sync hr-sync" in texts[TMPFILES]
    assert (tmp_path / "image/etc/hr/w.toml").exists()


def test_a_second_time_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there already and is the same stays, and the config of its owner in any case."""
    install(tmp_path)
    (tmp_path / CONFIG).write_text("# mine\n", encoding="utf-8")
    before = {path: (tmp_path / path).stat().st_ino for path in (UNIT, SYSUSERS, TMPFILES)}
    capsys.readouterr()

    assert install(tmp_path, "--force") == 0

    assert {path: (tmp_path / path).stat().st_ino for path in before} == before
    assert (tmp_path / CONFIG).read_text(encoding="utf-8") == "# mine\n"
    assert capsys.readouterr().out.count("left as it is") == 4


def test_what_differs_is_shown_and_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edited unit stops all of it, with a diff and the way out; --force replaces it."""
    install(tmp_path)
    unit = (tmp_path / UNIT).read_text(encoding="utf-8")
    (tmp_path / UNIT).write_text(unit.replace("WatchdogSec=180", "WatchdogSec=10"), encoding="utf-8")
    (tmp_path / SYSUSERS).unlink()
    capsys.readouterr()

    assert install(tmp_path) == 1
    said = capsys.readouterr()
    assert "-WatchdogSec=10\n+WatchdogSec=180\n" in said.out
    assert "--force" in said.err
    assert "systemctl edit" in said.err
    assert not (tmp_path / SYSUSERS).exists()

    assert install(tmp_path, "--force") == 0
    assert (tmp_path / UNIT).read_text(encoding="utf-8") == unit


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names every file, and there is none afterwards."""
    assert install(tmp_path, "--dry-run") == 0

    assert capsys.readouterr().out.count("would be written") == 4
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (("--user", "root; rm"), 2, "--user"),
        (("--config", "wxsync.toml"), 2, "--config"),
        (("--config", "/etc/a\nb"), 2, "--config"),
        (("--exec", "/opt/a 'b'/wxsync"), 2, "--exec"),
        (("--exec", "/nowhere/wxsync"), 1, "--exec"),
    ],
)
def test_what_cannot_be_is_refused(
    options: tuple[str, str], code: int, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the option, and nothing is written."""
    assert install(tmp_path, *options) == code

    assert word in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_program_that_the_service_would_not_see(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One below /home, /root or /tmp is warned of: the service starts and finds none."""
    assert install(tmp_path, "--config", "/home/me/wxsync.toml", "--dry-run") == 0

    assert "sees nothing below /home" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the file and what to do."""
    (tmp_path / "etc").write_text("a file\n", encoding="utf-8")

    assert install(tmp_path) == 1
    assert "--root" in capsys.readouterr().err


# What systemd says


@pytest.fixture
def systemd_analyze() -> str:
    """systemd's own judge of units; it needs no systemd that runs."""
    found = shutil.which("systemd-analyze")
    require(package="systemd", present=found is not None)
    assert found is not None
    return found


def test_systemd_takes_the_unit(systemd_analyze: str, tmp_path: Path) -> None:
    """No unknown key, no bad value, also where paths are odd; the program and its config have to be there."""
    program = tmp_path / "an odd $HOME 100%" / "wxsync"
    program.parent.mkdir()
    shutil.copy("/bin/true", program)
    assert install(tmp_path, "--exec", str(program)) == 0

    done = subprocess.run(
        [systemd_analyze, "verify", "--man=no", str(tmp_path / UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_unit_is_hardened(systemd_analyze: str, tmp_path: Path) -> None:
    """Its exposure is 1.2 at most on systemd's scale from 0 to 10; without the hardening it would be 9."""
    install(tmp_path)
    judged = [systemd_analyze, "security", "--offline=yes", "--no-pager"]

    done = subprocess.run(
        [*judged, "--threshold=12", str(tmp_path / UNIT)], capture_output=True, text=True, check=False
    )
    refused = subprocess.run(
        [*judged, "--threshold=5", str(tmp_path / UNIT)], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stdout
    assert refused.returncode == 1


def test_systemd_takes_the_user_and_the_directories(systemd_analyze: str, tmp_path: Path) -> None:
    """systemd-sysusers makes the user in an empty root, and systemd-tmpfiles takes every line."""
    install(tmp_path)

    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", "wxsync.conf"], check=True, capture_output=True)
    users = (tmp_path / "etc/passwd").read_text(encoding="utf-8")
    assert re.search(r"^wxsync:[^:]*:\d+:\d+:wxsync, keeps WeCom in step:/var/lib/wxsync:.*nologin$", users)
    done = subprocess.run(
        ["systemd-tmpfiles", f"--root={tmp_path}", "--create", "wxsync.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE((tmp_path / "var/lib/wxsync").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "etc/wxsync").stat().st_mode) == 0o750


def test_what_ships_is_what_is_installed() -> None:
    """The files in deploy/ hold what install-service puts in place of: else it could fit nothing."""
    unit = (ROOT / "deploy" / "wxsync.service").read_text(encoding="utf-8")

    assert directive(unit, "WatchdogSec") == ["180"]
    assert directive(unit, "Type") == ["notify"]
    assert int(directive(unit, "TimeoutStopSec")[0]) > 20
