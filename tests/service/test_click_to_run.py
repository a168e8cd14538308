"""From the card to the run: asked, clicked in WeCom, told by a signed event, carried out by a daemon."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.stage import Stage, open_stage, wait_for
from tests.service.daemons import APPLY, LISTEN, SERVED, Process, daemon, runs_of, wait_for_log
from wxsync.sandbox.receivers import Receiver

KEYS = {"token": "clicksAreSignedByIt", "encoding_aes_key": "k" * 43}
LEADS = "this daemon leads for the corp"
ASKING = f"""
[corp.acme.app]
agent_id = 1000002
secret = "sandbox-app-secret"

[corp.acme.app.callback]
token = "{KEYS["token"]}"
encoding_aes_key = "{KEYS["encoding_aes_key"]}"

[notify.chiefs]
type = "app"
recipients = ["e001", "e002"]
approvers = ["e001"]
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Twelve people in WeCom, of whom two are asked; 48 more in HR, which is over a limit."""
    with open_stage(tmp_path) as opened:
        apply = (APPLY[0], APPLY[1] + '\nnotify = ["chiefs"]')
        opened.configure((SERVED, LISTEN), apply, add=ASKING)
        opened.ok("apply", "--yes")
        opened.hire(13, 60)
        yield opened


def listen(stage: Stage, process: Process) -> None:
    """WeCom's app tells of clicks where this daemon listens."""
    receiver = Receiver(url=f"{process.base_url}/callback/acme/app", **KEYS)
    stage.wecom.apps = (dataclasses.replace(stage.wecom.apps[0], receiver=receiver),)


def test_a_click_of_an_approver_carries_the_plan_out_and_anothers_does_not(stage: Stage) -> None:
    """The run is on record as approved by who clicked, and all 60 are there."""
    with daemon(stage) as process:
        listen(stage, process)
        wait_for_log(process, LEADS)
        process.begin()
        wait_for(lambda: [each for each in stage.wecom.messages if each.card_type])
        (card,) = (each for each in stage.wecom.messages if each.card_type)
        stage.wecom.click("e002", card, "approve")
        wait_for_log(process, "not an approver")
        assert len(stage.active_userids) == 12

        stage.wecom.click("e001", card, "approve")
        wait_for(lambda: len(stage.active_userids) == 60, 60)
        wait_for(lambda: runs_of(stage)[-1]["state"] == "applied")
        process.stop()
    approved = [run for run in runs_of(stage) if run["trigger"] == "approval"]
    assert [(run["state"], run["approved_by"]) for run in approved] == [("applied", "wecom:e001")]
