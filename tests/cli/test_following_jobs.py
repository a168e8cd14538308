"""`wxsync jobs`: the list, one job with its rows, and one followed to its end."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.stage import WXSYNC, Stage, interrupt, mobile
from tests.cli.terminal import CODES, at_a_terminal
from wxsync.mirror import jobs, journal, lease, schema
from wxsync.mirror.store import Store
from wxsync.model.batch_job import BatchJob, JobRow, JobState
from wxsync.model.change import Verb
from wxsync.model.job import JobKind
from wxsync.model.message import say
from wxsync.model.run import OutcomeState

LEFT = "nobody is seeing to it now: the next `wxsync apply acme` takes it up where it stands"


@contextmanager
def mirror_of(stage: Stage) -> Iterator[Store]:
    store = Store(schema.prepare(f"sqlite:///{stage.mirror_file}"))
    try:
        yield store
    finally:
        store.close()


def put_job(stage: Stage, *rows: JobRow, **known: Any) -> int:
    """A job of a new run, so far on its way."""
    with mirror_of(stage) as store, store.transaction() as connection:
        began = datetime.now(UTC) - timedelta(minutes=5)
        id = jobs.prepare(
            connection,
            run_id=journal.start_run(
                connection, sync="acme", corp="acme", trigger="manual", started_at=began
            ),
            corp="acme",
            sync="acme",
            kind=JobKind.SYNC_MEMBERS,
            prepared_at=began,
        )
        jobs.put_rows(connection, id, rows)
        jobs.put(connection, replace(read(connection, id), **known))
    return id


def go_on(stage: Stage, id: int, **known: Any) -> None:
    with mirror_of(stage) as store, store.transaction() as connection:
        jobs.put(connection, replace(read(connection, id), **known))


def read(connection: Any, id: int) -> BatchJob:
    found = jobs.job(connection, id)
    assert found is not None
    return found


def row(n: int, state: OutcomeState | None = None, **more: Any) -> JobRow:
    return JobRow(
        n=n,
        key=f"E{n:03}",
        userid=f"e{n:03}",
        verb=Verb.CREATE,
        fields={"mobile": mobile(n), "name": f"林{n}"},
        state=state,
        **more,
    )


TAKEN = say("the member {owner} has this phone number, says WeCom: correct one of the two", owner="e9")


def test_jobs_are_listed_and_shown(stage: Stage) -> None:
    """The newest first; one alone with its rows, the failed first, and nothing of what they say."""
    assert stage.ok("jobs").out == "No job yet: so far everything went by single calls.\n"
    assert stage.ok("jobs", "--format", "json").json == []
    rows = [row(n, OutcomeState.DONE) for n in range(1, 30)]
    failed = row(30, OutcomeState.FAILED, errcode=60104, hint=TAKEN)
    put_job(stage, *rows, failed, state=JobState.FINISHED, percentage=100, submissions=1)
    second = put_job(stage, row(1), state=JobState.RUNNING, job_id="3_15", percentage=37, submissions=1)

    heading, newest, oldest = stage.ok("jobs").out.splitlines()
    assert heading.split()[0] == "job"
    assert newest.split() == [
        "2", "acme", "2", "members,", "others", "stay", "WeCom", "is", "at", "it", "37", "1", "0", "5", "min",
    ]  # fmt: skip
    assert oldest.split()[-6:] == ["finished", "100", "30", "1", "5", "min"]
    assert len(stage.ok("jobs", "--limit", "1").out.splitlines()) == 2
    assert [each["id"] for each in stage.ok("jobs", "--format", "json").json] == [2, 1]

    lines = stage.ok("jobs", "1").out.splitlines()
    told = "errcode 60104: the member e9 has this phone number, says WeCom: correct one of the two"
    assert lines[2:5] == [
        f"  1 × failed — {told}",
        f"    failed E030 (e030), create — {told}",
        "    done E001 (e001), create",
    ]
    assert lines[-1] == "  and 10 more: --limit shows more of them"
    assert len(stage.ok("jobs", "1", "--limit", "2").out.splitlines()) == 6
    assert "的任务 1" in stage.ok("jobs", "1", "--language", "zh").out
    assert f"  {LEFT}" in stage.ok("jobs", str(second)).out.splitlines()

    printed = stage.ok("jobs", "1", "--format", "json")
    assert printed.json["format"] == "wxsync-job/1"
    assert (printed.json["failures"], len(printed.json["results"])) == (1, 30)
    assert printed.json["results"][0]["key"] == "E030"
    assert len(stage.ok("jobs", "1", "--limit", "2", "--format", "json").json["results"]) == 2
    assert mobile(30) not in printed.out
    assert "林30" not in printed.out


@pytest.mark.parametrize("more", [(), ("--follow",)])
def test_a_job_that_is_not_there(stage: Stage, more: tuple[str, ...]) -> None:
    """The error says where to look; as JSON too."""
    missing = stage.run("jobs", "99", *more)
    assert (missing.code, missing.out) == (1, "")
    missing.says("Error: there is no job 99", "`wxsync jobs` lists them")
    assert stage.run("jobs", "99", *more, "--format", "json").json["message"] == "there is no job 99"


def test_to_follow_wants_a_job(stage: Stage) -> None:
    """Wrong usage, and how it is right."""
    printed = stage.run("jobs", "--follow")
    assert printed.code == 2
    printed.says("--follow wants a JOB; `wxsync jobs` lists them.")


def test_one_that_is_over_is_followed_by_nobody(stage: Stage) -> None:
    """It is shown at once."""
    id = put_job(stage, row(1, OutcomeState.DONE), state=JobState.FINISHED)
    printed = stage.ok("jobs", str(id), "--follow")
    assert printed.out.startswith(f"Job {id} of acme: finished")
    assert printed.err == f"job {id}: finished, 1 of 1 rows on record, 0 %\n"


def test_a_job_is_followed_to_its_end(stage: Stage) -> None:
    """Elsewhere than on a terminal a line on stderr for each step, then the job on stdout."""
    id = put_job(stage, row(1), state=JobState.RUNNING, percentage=10)
    with mirror_of(stage) as store:
        held = lease.acquire(store, "acme", owner="run 1 (manual)", ttl=timedelta(minutes=1))
        with stage.running("jobs", str(id), "--follow", "--format", "json") as process:
            assert process.stderr is not None
            first = process.stderr.readline()
            go_on(stage, id, percentage=80)
            second = process.stderr.readline()
            with store.transaction() as connection:
                jobs.conclude_rows(connection, id, [row(1, OutcomeState.DONE)])
            third = process.stderr.readline()
            lease.release(store, held)
            fourth = process.stderr.readline()
            go_on(stage, id, percentage=100, state=JobState.FINISHED)
            out, err = process.communicate(timeout=20)
    state = f"job {id}: WeCom is at it,"
    assert [first, second, third, fourth] == [
        f"{state} 0 of 1 rows on record, 10 %\n",
        f"{state} 0 of 1 rows on record, 80 %\n",
        f"{state} 1 of 1 rows on record, 80 %\n",
        f"{state} 1 of 1 rows on record, 80 %; {LEFT}\n",
    ]
    assert err == f"job {id}: finished, 1 of 1 rows on record, 100 %\n"
    assert '"format": "wxsync-job/1"' in out
    assert process.returncode == 0


def test_on_a_terminal_there_is_a_bar(stage: Stage) -> None:
    """It moves with the percentage, and goes when the job is shown."""
    id = put_job(stage, row(1), state=JobState.RUNNING, percentage=10)

    def work() -> None:
        time.sleep(2)
        go_on(stage, id, percentage=80)
        time.sleep(2)
        go_on(stage, id, percentage=100, state=JobState.FINISHED)

    worker = threading.Thread(target=work)
    worker.start()
    printed = at_a_terminal(stage, "jobs", str(id), "--follow")
    worker.join()
    shown = CODES.sub("", printed.out)
    assert printed.code == 0
    assert shown.count("nobody is seeing to it now") == 1
    assert shown.index("10%") < shown.index("80%") < shown.index(f"Job {id} of acme: finished")


def test_ctrl_c_ends_the_looking(stage: Stage) -> None:
    """At once, with 130 and no traceback; the job is as it was."""
    id = put_job(stage, row(1), state=JobState.RUNNING, percentage=10)
    with stage.running("jobs", str(id), "--follow") as process:
        assert process.stderr is not None
        process.stderr.readline()
        interrupt(process)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, "")
    assert "Interrupted." in err
    with mirror_of(stage) as store, store.reading() as connection:
        assert read(connection, id).state is JobState.RUNNING


def test_whoever_reads_no_further_ends_it(stage: Stage) -> None:
    """`wxsync jobs 1 | head -1` leaves with no complaint."""
    id = put_job(stage, *(row(n, OutcomeState.DONE) for n in range(1, 3000)), state=JobState.FINISHED)
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{WXSYNC} jobs {id} --limit 100000 | head -1"],
        cwd=stage.home,
        env=stage.environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"Job {id} of acme: finished")
