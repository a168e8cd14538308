"""`wxsync db backup`, `restored`, `rebuild` and `copy` at the command line."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.cli.stage import SECRET, Printed, Stage
from wxsync.cli import main


class Inside:
    """Runs commands in this process: each of them starts some second sooner."""

    def __init__(self, stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
        self.stage = stage
        self._capsys = capsys

    def run(self, *arguments: str) -> Printed:
        self._capsys.readouterr()
        code = main.run(list(arguments))
        return self.stage.keep(arguments, Printed(code, *self._capsys.readouterr(), 0.0))

    def ok(self, *arguments: str) -> Printed:
        printed = self.run(*arguments)
        assert printed.code == 0, f"{printed.err}\n--- stdout:\n{printed.out}"
        return printed

    def writes_by(self, *arguments: str, code: int = 0) -> list[str]:
        before = len(self.stage.wecom.log)
        printed = self.run(*arguments)
        assert printed.code == code, printed.err
        return [call.path for call in self.stage.wecom.log[before:] if call.is_write]


@pytest.fixture
def inside(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Inside]:
    """In the company's directory, where the shell lets others read everything."""
    monkeypatch.chdir(stage.home)
    monkeypatch.setenv("STAGE_SECRET", SECRET)
    before = os.umask(0)
    yield Inside(stage, capsys)
    os.umask(before)


def modes(folder: Path, pattern: str) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.glob(pattern)}


def test_a_backup_and_its_return(applied: Stage, inside: Inside) -> None:
    """It says where it is, how large and of what schema; it is refused as a mirror until it is said."""
    (applied.home / "kept").mkdir()
    made = inside.ok("db", "backup", "kept")
    [file] = (applied.home / "kept").iterdir()
    assert re.fullmatch(r"wxsync-backup-\d{8}T\d{6}Z\.db", file.name)
    assert f"backup:  kept/{file.name}" in made.out
    assert re.search(r"size: +[\d,]+ KiB, \d+ rows", made.out)
    assert modes(file.parent, "*") == {0o600}
    inside.run("db", "backup", f"kept/{file.name}").says("is there already, and nothing is written over it")

    file.replace(applied.mirror_file)
    refused = inside.run("plan")
    assert refused.code == 1
    refused.says("is a backup, made at", "say first: wxsync db restored")
    assert "is:      a backup of" in inside.ok("db", "status").out
    unasked = inside.run("db", "restored")
    assert unasked.code == 4
    unasked.says("needs --yes")
    told = inside.ok("db", "restored", "--yes").out
    assert "12 members, 3 departments, 1 tag are ours, and what they hold is not known" in told
    assert inside.writes_by("apply", "--yes", code=4) == []
    digest = re.search(r"sha256:[0-9a-f]{64}", inside.ok("plan").out)
    assert digest is not None
    assert inside.writes_by("apply", "--approve", digest[0]) != []
    assert inside.writes_by("apply", "--yes") == []
    assert modes(applied.home, "mirror.db*") == {0o600}


def test_to_a_server_and_never_a_password_in_the_list_of_processes(
    applied: Stage, inside: Inside, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The URL is refused where it holds one; the option wants a reference; neither shows the secret."""
    secret = str(make_url(postgres_url).password)
    applied.secrets.append(secret)
    monkeypatch.setenv("MIRROR_PASSWORD", secret)
    bare, to_it = postgres_url.replace(f":{secret}@", "@"), ("--password", "env:MIRROR_PASSWORD")
    inside.run("db", "copy", postgres_url, "--yes").says("holds a password", "--password env:NAME")
    inside.run("db", "copy", bare, "--password", secret, "--yes").says("name where it is")
    assert inside.run("db", "copy", bare, *to_it).code == 4
    assert "and compared" in inside.ok("db", "copy", bare, *to_it, "--yes").out
    former = inside.run("plan")
    assert former.code == 1
    former.says("is the mirror no more: it was copied to")

    reference = 'password = "env:MIRROR_PASSWORD"'
    applied.configure((f'url = "{applied.mirror}"', f'url = "{bare}"\n{reference}'))
    assert inside.ok("plan", "--exit-code").err == ""


def test_after_a_loss(stage: Stage, inside: Inside) -> None:
    """The first load's own report relinks everybody; nothing is changed before --yes."""
    inside.ok("apply", "--yes", "--format", "json", "--output", "first.json")
    stage.mirror_file.unlink()
    assert inside.run("db", "rebuild").code == 2
    inside.run("db", "rebuild", "--plan", "wxsync.toml", "--yes").says("wxsync.toml is no JSON")
    looked = inside.ok("db", "rebuild", "--plan", "first.json").out
    assert "12 members by the plans" in looked
    assert "Nothing was changed" in looked
    with closing(sqlite3.connect(stage.mirror_file)) as connection:
        assert connection.execute("SELECT count(*) FROM member_links").fetchone() == (0,)
    done = inside.ok("db", "rebuild", "--plan", "first.json", "--yes").out
    assert "department D1: the plan that created it does not tell its id" in done
    assert "Remembered." in done
    assert inside.writes_by("apply", "--yes", code=4) == []
