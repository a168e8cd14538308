"""A config that cannot be used: exit code 1, and a message that says what, where and how to mend it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.stage import SECRET, Stage
from tests.servers.presence import require_ability
from wxsync.cli.main import run
from wxsync.config import loader

NOBODY = 65534


def test_missing_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any config every place that was looked at is named, and what to do."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(loader.VARIABLE, raising=False)
    monkeypatch.setattr(loader, "OF_SYSTEM", tmp_path / "etc/config.toml")  # this machine may have a wxsync
    assert run(["plan"]) == 1
    said = capsys.readouterr().err
    for words in (
        "no config file: looked at --config (not given), $WXSYNC_CONFIG (not set)",
        f"{tmp_path}/wxsync.toml",
        f"{tmp_path}/etc/config.toml",
        "Hint:",
        "--config PATH",
        "config.example.toml",
    ):
        assert words in said


def test_one_that_was_named_is_never_passed_over(stage: Stage) -> None:
    """A wrong path is an error although ./wxsync.toml would do; it is said who named it."""
    printed = stage.run("plan", "--config", "gone.toml")
    assert printed.code == 1
    printed.says(f"there is no {stage.home}/gone.toml, which was given by --config", "Correct the path")
    printed = stage.run("plan", env={"WXSYNC_CONFIG": "/nowhere/wxsync.toml"})
    assert printed.code == 1
    printed.says("there is no /nowhere/wxsync.toml, which was named by $WXSYNC_CONFIG")


def test_a_directory_is_no_config(stage: Stage) -> None:
    """It is the same error whoever named it."""
    for printed in (stage.run("plan", "--config", "."), stage.run("plan", env={"WXSYNC_CONFIG": "."})):
        assert printed.code == 1
        printed.says("cannot be read: Is a directory")


def test_every_way_to_name_it_works(stage: Stage) -> None:
    """--config before and after the command, $WXSYNC_CONFIG, ./wxsync.toml; the last one given wins."""
    stage.config.rename(stage.home / "other.toml")
    for arguments, env in (
        (("--config", "other.toml", "status"), {}),
        (("status", "--config", "other.toml"), {}),
        (("--config", "gone.toml", "status", "--config", "other.toml"), {}),
        (("status",), {"WXSYNC_CONFIG": "other.toml"}),
        (("--config", "other.toml", "status"), {"WXSYNC_CONFIG": "gone.toml"}),
    ):
        printed = stage.run(*arguments, env=env)
        assert (printed.code, printed.err) == (0, "")
        assert printed.out.startswith("acme (corp acme, mode plan)\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[mirror]\nurl = sqlite\n", "wxsync.toml is not TOML: Invalid value (at line 2, column 7)"),
        (b"[mirror]\nurl = '\xff'\n", "wxsync.toml is not UTF-8 text: line 2"),
        (b"", "mirror: is required"),
    ],
    ids=["not TOML", "not UTF-8", "empty"],
)
def test_what_is_no_config_is_said_with_its_line(stage: Stage, content: bytes, words: str) -> None:
    stage.config.write_bytes(content)
    printed = stage.run("plan")
    assert printed.code == 1
    printed.says(words)


def test_every_problem_is_told_at_once(stage: Stage) -> None:
    """Each has its path in the file; what looks like a slip has its "did you mean"."""
    stage.configure(
        ('leavers = "disable"', 'leaver = "disable"'),
        ('language = "en"', 'language = "fr"\nlisen = "127.0.0.1:1"'),
        ('corp = "acme"', 'corp = "acmee"'),
        ('name = "full_name"', 'name = "full_name |"'),
    )
    for command in ("check", "runs"):
        printed = stage.run(command)
        assert printed.code == 1
        printed.says(
            'service.language: is "fr", but must be "zh" or "en"',
            'service.lisen: there is no such key. Did you mean "listen"?',
            "sync.acme.member.name: column 12: unexpected end of the expression",
            "sync.acme.policy.leavers: is required",
            'sync.acme.policy.leaver: there is no such key. Did you mean "leavers"?',
            'sync.acme.corp: there is no table [corp.acmee]. Did you mean "acme"?',
            f"Hint:  The config file is {stage.config}",
        )
    document = stage.run("plan", "--format", "json")
    assert document.code == 1
    assert document.json["code"] == "config"
    assert len(document.json["message"].splitlines()) == 6


def test_a_secret_that_cannot_be_had(stage: Stage) -> None:
    """The key, the variable or file and the reason are named, for every kind of reference."""
    printed = stage.run("plan", env={"STAGE_SECRET": None})
    assert printed.code == 1
    printed.says("corp.acme.contact_secret: the environment variable STAGE_SECRET is not set")
    printed = stage.run("plan", env={"STAGE_SECRET": ""})
    assert printed.code == 1
    printed.says("corp.acme.contact_secret: the environment variable STAGE_SECRET is empty")

    file = stage.home / "secret.txt"
    stage.configure(("env:STAGE_SECRET", "file:secret.txt"))
    stage.run("plan").says(f"corp.acme.contact_secret: the file {file} cannot be read: No such file")
    file.mkdir()
    stage.run("plan").says(f"corp.acme.contact_secret: the file {file} cannot be read: Is a directory")
    file.rmdir()
    file.write_text("")
    stage.run("plan").says(f"corp.acme.contact_secret: the file {file} is empty")
    assert {printed.code for _, printed in stage.printed} == {1}

    file.write_text(f"{SECRET}\n")
    stage.ok("plan")


def test_a_secret_file_of_somebody_else(stage: Stage) -> None:
    """What this user may not read is said as what it is."""
    can_be_nobody = os.geteuid() == 0 and shutil.which("setpriv") is not None
    require_ability("root and setpriv, to run as nobody", present=can_be_nobody)
    file = stage.home / "secret.txt"
    file.write_text(SECRET)
    file.chmod(0o600)
    stage.configure(("env:STAGE_SECRET", "file:secret.txt"))
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    opened = [stage.home, *stage.home.parents]
    modes = {path: path.stat().st_mode for path in opened}
    try:
        for path in opened[:-2]:
            path.chmod(0o755)
        printed = stage.run("plan", prefix=as_nobody)
        assert printed.code == 1
        printed.says("wxsync.toml cannot be read: Permission denied")
        stage.config.chmod(0o644)
        printed = stage.run("plan", prefix=as_nobody)
        assert printed.code == 1
        printed.says(f"corp.acme.contact_secret: the file {file} cannot be read: Permission denied")
        file.chmod(0o644)
        printed = stage.run("plan", prefix=as_nobody)
        assert printed.code == 1
        printed.says("mirror.db cannot be opened for writing: Permission denied", "give the user that runs")
    finally:
        for path in opened[:-2]:
            path.chmod(modes[path])


def test_a_secret_written_out(stage: Stage) -> None:
    """It works; where others can read the file there is a warning, which does not repeat it."""
    stage.configure(("env:STAGE_SECRET", SECRET))
    assert stage.ok("plan").err == ""
    stage.config.chmod(0o644)
    stage.ok("plan").says(
        "Warning: corp.acme.contact_secret: the secret is written out in a file that others can read.",
        "chmod o-r wxsync.toml",
        'write "env:NAME" or "file:PATH" instead',
    )
    stage.ok("plan", "--format", "json").says("Warning: corp.acme.contact_secret")
