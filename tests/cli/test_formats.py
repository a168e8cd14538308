"""What goes to stdout, to stderr and to files, and what never does."""

from __future__ import annotations

import json
import os
import stat
import subprocess

import pytest

from tests.cli.stage import ESCAPE, WXSYNC, Stage, mobile


def test_json_is_one_document_whatever_happens(stage: Stage) -> None:
    """At 0, 3, 4 and 5 the plan or run, at 1 and 2 the error; everything else is on stderr."""
    over = stage.run("apply", "--format", "json")
    assert over.code == 4
    assert over.json["format"] == "wxsync-run/1"
    assert over.json["state"] == "refused"
    assert over.json["outcomes"] == []
    assert len(over.json["plan"]["changes"]) == 16
    over.says("Refused: nothing was written")

    done = stage.ok("apply", "--yes", "--format=json").json
    assert set(done) == {
        "format", "id", "sync", "trigger", "started_at", "finished_at", "state", "plan", "outcomes",
    }  # fmt: skip
    assert done["state"] == "applied"
    assert {outcome["state"] for outcome in done["outcomes"]} == {"done"}
    assert done["plan"]["changes"][3]["fields"]["mobile"]["after"] == mobile(1)  # unmasked

    for arguments, code, name in (
        (("plan", "nobody", "--format", "json"), 2, "usage"),
        (("plan", "--format", "json", "--nope"), 2, "usage"),
        (("plan", "--format", "json", "--config", "gone.toml"), 1, "config"),
        (("runs", "99", "--format", "json"), 1, "error"),
    ):
        printed = stage.run(*arguments)
        assert printed.code == code
        assert printed.json["format"] == "wxsync-error/1"
        assert set(printed.json) == {"format", "code", "message", "hint"}
        assert printed.json["code"] == name
        assert printed.json["message"]
        assert printed.err == ""

    stage.wecom.revoke_tokens()
    stage.wecom.trusted_ips = []
    assert stage.run("apply", "--yes", "--format", "json").json["code"] == "wecom_denied"


def test_text_is_masked_unless_asked_for(applied: Stage) -> None:
    """Phone numbers are 138****1234 in text and HTML; --show-personal shows them."""
    applied.sql(f"UPDATE employees SET mobile = '{mobile(77)}' WHERE emp_no = 'E001'")
    assert "138****0077" in applied.ok("plan").out
    assert "138****0077" in applied.ok("plan", "--format", "html").out
    assert mobile(77) in applied.ok("plan", "--show-personal").out


@pytest.mark.parametrize("format_", ["text", "json", "html"])
def test_a_report_in_a_file_is_its_owners(stage: Stage, format_: str) -> None:
    """Mode 0600, also where the file was there and open to all; stdout stays empty."""
    file = stage.home / "report"
    file.touch()
    file.chmod(0o666)
    printed = stage.ok("apply", "--yes", "--format", format_, "--output", str(file))
    assert printed.out == ""
    printed.says(f"Written to {file}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text("utf-8")
    if format_ == "json":
        assert json.loads(text)["state"] == "applied"
    elif format_ == "html":
        assert text.lower().startswith("<!doctype html>")
        assert "138****0001" in text
    else:
        assert text.startswith("Plan  acme ")
        assert "Run 1  acme: applied" in text
        assert ESCAPE not in text


def test_a_report_that_cannot_be_written_is_known_before(stage: Stage) -> None:
    """Nobody finds out after the changes are made."""
    assert stage.writes_by("apply", "--yes", "--format", "json", "--output", "gone/report", code=1) == []
    assert "cannot write gone/report: No such file" in stage.printed[-1][1].json["message"]
    assert stage.wecom.log == []


def test_no_colour_in_a_pipe(stage: Stage) -> None:
    """No escape code and no progress bar, whatever TERM says."""
    printed = stage.run("apply", "--yes", env={"TERM": "xterm-256color"})
    assert printed.code == 0
    assert ESCAPE not in printed.out + printed.err
    assert printed.err == ""


def test_the_language_of_the_report(applied: Stage) -> None:
    """--language wins over the config's."""
    assert "Nothing to do" in applied.ok("plan").out
    assert "无事可做" in applied.ok("plan", "--language", "zh").out


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "\\u7814"),
        ({"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}, "\\u7814"),
        ({"LC_ALL": "C"}, "研发部"),
    ],
    ids=["ascii", "plain C", "C"],
)
def test_a_terminal_that_knows_no_chinese(stage: Stage, encoding: dict[str, str], words: str) -> None:
    """It gets escapes in the place of what it cannot show, not an error."""
    printed = stage.run("plan", env=encoding)
    assert printed.code == 0
    assert words in printed.out


def test_a_reader_that_goes_away(stage: Stage) -> None:
    """`wxsync plan | head` ends in silence; `wxsync apply --yes | head` is not stopped half-way."""
    assert shell(stage, "plan | head -1; exit ${PIPESTATUS[0]}").returncode == 0
    ended = shell(stage, "apply --yes | head -1; exit ${PIPESTATUS[0]}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("\n") == 1
    assert len(stage.wecom.members) == 12


def test_output_that_has_no_room(stage: Stage) -> None:
    """A full disk under stdout is an error that is told."""
    ended = shell(stage, "plan > /dev/full")
    assert ended.returncode == 1
    assert ended.stderr == "Error: cannot write the output: No space left on device\n"


def test_without_any_stdin_or_stdout(stage: Stage) -> None:
    """As cron or a service may start it."""
    assert shell(stage, "apply <&-").returncode == 4
    assert shell(stage, "apply --yes --format json >&- 2>&-").returncode == 0
    assert len(stage.wecom.members) == 12


def shell(stage: Stage, line: str) -> subprocess.CompletedProcess[str]:
    """Run `wxsync` with the shell's redirections."""
    ended = subprocess.run(
        ["/bin/bash", "-c", f"{WXSYNC} {line}"],
        cwd=stage.home,
        env=stage.environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    assert os.linesep * 3 not in ended.stderr
    return ended
