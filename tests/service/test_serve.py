"""`wxsync serve` as a process: it runs syncs, reads its config again, and leaves in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.stage import Stage, open_stage, wait_for
from tests.mirror.older import OLD, make_old
from tests.servers import postgres
from tests.servers.presence import require
from tests.service.daemons import APPLY, LISTEN, SERVED, Process, daemon, runs_of, wait_for_log
from wxsync.mirror import schema

LEADS = "this daemon leads for the corp"
OVER = "a run is over"
ONE_BY_ONE = ("adopt = []", 'adopt = []\nmethod = "single"')


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A company after its first load, under a daemon that applies."""
    with open_stage(tmp_path) as opened:
        opened.configure((SERVED, LISTEN), APPLY)
        opened.ok("apply", "--yes")
        yield opened


def test_what_it_is_told_to_begin_is_applied(stage: Stage) -> None:
    """Somebody new in HR is in WeCom a moment later, and the run is on record as one by schedule."""
    with daemon(stage) as process:
        wait_for_log(process, LEADS)
        stage.hire(13, 13)
        process.begin()
        wait_for_log(process, OVER)
        process.stop()
    assert "e013" in stage.active_userids
    assert [(run["trigger"], run["state"]) for run in runs_of(stage)] == [
        ("manual", "applied"),
        ("schedule", "applied"),
    ]


def test_the_first_run_of_a_sync_waits_for_a_yes(tmp_path: Path) -> None:
    """Nothing is written by a daemon that nobody has looked at yet; `wxsync approve` carries it out."""
    with open_stage(tmp_path) as stage:
        stage.configure((SERVED, LISTEN), APPLY)
        with daemon(stage) as process:
            wait_for_log(process, LEADS)
            process.begin()
            wait_for_log(process, "a run was refused, nothing was written")
            assert stage.wecom.writes == []
            (run,) = runs_of(stage)
            assert run["state"] == "refused"
            stage.ok("approve", run["digest"])
            process.stop()
        assert len(stage.active_userids) == 12


def test_by_mode_plan_it_reports_and_writes_nothing(tmp_path: Path) -> None:
    """Its runs are dry runs."""
    with open_stage(tmp_path) as stage:
        stage.configure((SERVED, LISTEN))
        with daemon(stage) as process:
            wait_for_log(process, LEADS)
            process.begin()
            wait_for_log(process, OVER)
            process.stop()
        assert stage.wecom.writes == []
        assert [run["state"] for run in runs_of(stage)] == ["planned"]


def test_it_leaves_in_the_midst_of_a_run_and_the_next_one_goes_on(stage: Stage) -> None:
    """SIGTERM: within 20 seconds, the run is `stopped`, and the daemon after it does the rest."""
    stage.configure((SERVED, LISTEN), APPLY, ONE_BY_ONE, add="\n[sync.acme.limits]\nmember_create = 100\n")
    stage.wecom.faults.delay("user/create", 0.3, times=None)
    stage.hire(13, 60)
    with daemon(stage, "first") as process:
        wait_for_log(process, LEADS)
        process.begin()
        wait_for(lambda: len(stage.active_userids) > 14)
        assert process.stop() < 20
    assert runs_of(stage)[-1]["state"] == "stopped"
    assert len(stage.active_userids) < 60
    with daemon(stage, "second") as process:
        wait_for_log(process, OVER)
        process.stop()
    created = [call.body["userid"] for call in stage.wecom.writes if call.path == "user/create" and call.body]
    assert len(created) == len(set(created)) == 60


def test_the_config_is_read_again_and_a_bad_one_refused(stage: Stage) -> None:
    """SIGHUP: what is good holds from the next run on, what is not is told of and changes nothing."""
    with daemon(stage) as process:
        wait_for_log(process, LEADS)
        stage.config.write_text(
            stage.config.read_text().replace('leavers = "disable"', 'leavers = "dismiss"')
        )
        process.reload()
        wait_for_log(process, "the config is no good, and the old one goes on")
        assert "sync.acme.policy.leavers" in process.says()
        stage.hire(13, 13)
        process.begin()
        wait_for_log(process, OVER)
        assert "e013" in stage.active_userids

        stage.configure((SERVED, LISTEN), APPLY, ('position = "title"\n', ""))
        process.reload()
        wait_for_log(process, "the config was read again")
        stage.hire(14, 14)
        process.begin()
        wait_for_log(process, "the plan waits for approval")
        assert "e014" not in stage.active_userids
        process.stop()


def test_where_its_port_is_taken_it_says_so_and_ends(stage: Stage) -> None:
    """With 1, and how to mend it."""
    with daemon(stage) as process:
        stage.configure((SERVED, LISTEN.replace(":0", f":{process.port}")), APPLY)
        printed = stage.run("serve")
        printed.says("cannot listen on", "service.listen")
        assert printed.code == 1
        process.stop()


def test_it_leaves_while_it_plans(tmp_path: Path) -> None:
    """Eight thousand people are being compared when SIGTERM comes: it waits for none of that."""
    with open_stage(tmp_path) as stage:
        stage.configure((SERVED, LISTEN), APPLY)
        stage.hire(13, 8000)
        with daemon(stage) as process:
            wait_for_log(process, LEADS)
            process.begin()
            wait_for(lambda: any(call.path == "tag/list" for call in stage.wecom.log))
            assert process.stop() < 5
        (run,) = runs_of(stage)
        assert run["state"] in ("failed", "refused"), run
        assert stage.wecom.writes == []


def test_an_older_mirror_is_upgraded_as_it_starts(tmp_path: Path) -> None:
    """After a copy was put aside; its runs count on."""
    with open_stage(tmp_path) as stage:
        stage.configure((SERVED, LISTEN), APPLY)
        make_old(f"sqlite:///{stage.mirror_file}")
        with daemon(stage) as process:
            wait_for_log(process, LEADS)
            assert f"mirror.db.schema-{OLD}" in process.says()
            process.begin()
            wait_for_log(process, "a run was refused, nothing was written")
            process.stop()
        assert (tmp_path / f"mirror.db.schema-{OLD}").exists()
        assert [run["state"] for run in runs_of(stage)] == ["refused"]


def test_its_database_goes_and_comes_back(tmp_path: Path) -> None:
    """While PostgreSQL is away it is not ready, and says so; then it leads on, without being started anew."""
    programs = postgres.find_programs()
    require(package="postgresql", present=programs is not None)
    assert programs is not None
    with postgres.run_postgres(programs) as server:
        url = server.url(server.create_database())
        schema.upgrade(url)
        with open_stage(tmp_path, mirror=url) as stage:
            stage.configure((SERVED, LISTEN), APPLY)
            stage.ok("apply", "--yes")
            with daemon(stage) as process:
                wait_for_log(process, LEADS)
                postgres.stop(server.process)
                wait_for(lambda: httpx.get(f"{process.base_url}/readyz").status_code == 503)
                stage.hire(13, 13)
                again = postgres.launch(programs, server.log.parent, server.port, server.log)
                try:
                    wait_for(lambda: httpx.get(f"{process.base_url}/readyz").status_code == 200)
                    wait_for(lambda: begun(process, stage), 60)
                    process.stop()
                finally:
                    postgres.stop(again)


def begun(process: Process, stage: Stage) -> bool:
    """Whether the one who is new in HR has come; a run is asked for until then."""
    process.begin()
    time.sleep(1)
    return "e013" in stage.active_userids


def test_what_takes_too_long_is_cut_off(stage: Stage) -> None:
    """After `run_timeout`: the run is `stopped`, and the next one, after a pause, does the rest."""
    limits = "\n[sync.acme.limits]\nmember_create = 100\n"
    stage.configure((SERVED, LISTEN), (APPLY[0], APPLY[1] + "\nrun_timeout = 5"), ONE_BY_ONE, add=limits)
    stage.wecom.faults.delay("user/create", 1.0, times=None)
    stage.hire(13, 100)
    with daemon(stage) as process:
        wait_for_log(process, LEADS)
        process.begin()
        wait_for_log(process, "a run goes on for too long and is cut off")
        wait_for_log(process, "a run failed")
        process.stop()
    last = runs_of(stage)[-1]
    assert (last["state"], last["error"]) == ("stopped", "it went on for longer than run_timeout")
    assert 12 < len(stage.active_userids) < 100
