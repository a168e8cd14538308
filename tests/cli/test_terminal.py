"""On a terminal: colour, the question before writing, a progress bar, and Ctrl-C."""

from __future__ import annotations

import re
import time
from contextlib import closing

import pytest

from tests.cli.stage import ESCAPE, Stage, interrupt, wait_for
from tests.cli.terminal import CODES, QUESTION, at_a_terminal


@pytest.mark.parametrize("keys", [b"n\n", b"\n", b"\x04"], ids=["n", "return", "Ctrl-D"])
def test_a_no_is_4(stage: Stage, keys: bytes) -> None:
    """Anything but a yes is a no: nothing is written."""
    printed = at_a_terminal(stage, "apply", keys=keys)
    assert printed.code == 4
    assert QUESTION in printed.out
    assert 'nothing was written: the answer was "no"' in printed.out
    assert not stage.wecom.members
    assert [run["state"] for run in stage.ok("runs", "--format", "json").json] == ["refused"]


def test_a_yes_is_carried_out_with_a_progress_bar(stage: Stage) -> None:
    """The plan is there before the question; the bar counts changes."""
    stage.wecom.latency = 0.1
    printed = at_a_terminal(stage, "apply", keys=b"y\n")
    assert printed.code == 0
    before, after = CODES.sub("", printed.out).split(QUESTION)
    assert "create (12)" in before
    assert "16/16" in after
    assert ESCAPE in printed.out
    assert len(stage.wecom.members) == 12


def test_nothing_to_do_is_nothing_to_ask(applied: Stage) -> None:
    printed = at_a_terminal(applied, "apply")
    assert printed.code == 0
    assert QUESTION not in printed.out


def test_no_color_holds_on_a_terminal(stage: Stage) -> None:
    """NO_COLOR takes the colours away."""
    printed = at_a_terminal(stage, "plan", env={"NO_COLOR": "1"})
    assert printed.code == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", printed.out)


def test_ctrl_c_at_the_question(stage: Stage) -> None:
    """It ends at once, nothing is written, and the run is on record as refused."""
    printed = at_a_terminal(stage, "apply", keys=b"\x03")
    assert printed.code == 130
    assert "Interrupted. What was done is on record" in printed.out
    assert not stage.wecom.members
    assert [run["state"] for run in stage.ok("runs", "--format", "json").json] == ["refused"]


def test_ctrl_c_while_it_writes(stage: Stage) -> None:
    """Calls under way may end, no new one begins; what was done is on record and the next run goes on."""
    stage.configure(("[sync.acme.policy]", '[sync.acme.policy]\nmethod = "single"'))
    stage.hire(13, 60)
    stage.wecom.latency = 0.2
    with stage.running("apply", "--yes") as process:
        wait_for(lambda: len(stage.wecom.members) > 12)
        pressed = time.monotonic()
        interrupt(process)
        _, err = process.communicate(timeout=10)
        took = time.monotonic() - pressed
    assert process.returncode == 130
    assert err == "\nInterrupted. What was done is on record; the next run goes on from there.\n"
    assert took < 4
    there = len(stage.wecom.members)
    assert there < 60

    stage.wecom.latency = 0
    run = stage.ok("runs", "1", "--format", "json").json
    assert (run["state"], run["error"]) == ("stopped", "it was interrupted")
    assert run["counts"] == {"done": 3 + there}  # three departments
    stage.ok("apply", "--yes")
    assert stage.run("plan", "--exit-code").code == 0
    assert len(stage.wecom.members) == 60


def test_ctrl_c_while_a_file_is_worked_off(stage: Stage) -> None:
    """The job goes on without us; the next run sees it to its end and starts no second one."""
    stage.hire(13, 60)
    stage.wecom.job_faults.hang("batch/syncuser")
    with stage.running("apply", "--yes") as process:
        wait_for(lambda: stage.wecom.jobs.running is not None)
        time.sleep(1)
        interrupt(process)
        process.communicate(timeout=10)
    assert process.returncode == 130
    [job] = stage.ok("jobs", "--format", "json").json
    assert job["state"] == "running"

    stage.wecom.job_faults.release()
    stage.ok("apply", "--yes")
    assert stage.run("plan", "--exit-code").code == 0
    assert len(stage.wecom.members) == 60
    assert [call.path for call in stage.wecom.writes].count("batch/syncuser") == 1


def test_ctrl_c_while_wecom_does_not_answer(stage: Stage) -> None:
    """It ends within seconds all the same; what became of the calls, the next run finds out."""
    stage.wecom.faults.delay("user/create", 30, after=True, times=10)
    with stage.running("apply", "--yes") as process:
        wait_for(lambda: stage.wecom.members)
        pressed = time.monotonic()
        interrupt(process)
        process.communicate(timeout=15)
        took = time.monotonic() - pressed
    assert process.returncode == 130
    assert took < 6
    stage.wecom.faults.clear()
    stage.ok("apply", "--yes")
    assert stage.run("plan", "--exit-code").code == 0
    assert len(stage.wecom.members) == 12


def test_ctrl_c_while_the_source_is_slow(stage: Stage) -> None:
    """A query that takes for ever holds up nobody: the command is gone within a moment."""
    slow = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT * FROM employees WHERE emp_no = (SELECT max(i) FROM n)"
    )
    stage.configure(("SELECT * FROM employees", slow))
    with stage.running("plan") as process:
        wait_for(lambda: stage.mirror_file.exists() and _has_runs(stage))
        time.sleep(0.5)
        pressed = time.monotonic()
        interrupt(process)
        process.communicate(timeout=10)
        took = time.monotonic() - pressed
    assert process.returncode == 130
    assert took < 3
    run = stage.ok("runs", "--format", "json").json[0]
    assert (run["state"], run["error"]) == ("failed", "it was interrupted")


def test_sigterm_is_like_ctrl_c(stage: Stage) -> None:
    """A service that is stopped ends as cleanly."""
    stage.wecom.latency = 0.2
    with stage.running("apply", "--yes") as process:
        wait_for(lambda: stage.wecom.members)
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 130
    stage.wecom.latency = 0
    assert stage.ok("runs", "--format", "json").json[0]["state"] == "stopped"


def _has_runs(stage: Stage) -> bool:
    import sqlite3

    try:
        with closing(sqlite3.connect(stage.mirror_file)) as mirror:
            return bool(mirror.execute("SELECT count(*) FROM runs").fetchone()[0])
    except sqlite3.OperationalError:
        return False
