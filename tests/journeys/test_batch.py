"""Creations and updates by file, through a real apply into the sandbox."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from tests.journeys.stage import described, failures, outcome_of
from tests.journeys.story import Story, mobile
from wxsync.engine.bell import JobBell, Pauses
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import carry_out, holding, preview
from wxsync.model.job import JobCallback
from wxsync.model.run import OutcomeState
from wxsync.sandbox.callbacks import deliver
from wxsync.wecom.crypto import CallbackCrypto, parse_xml, read_envelope

BATCH = {"method": "batch"}


@pytest.fixture
def story(tmp_path) -> Story:
    return Story(tmp_path, policy=BATCH)


def calls(story: Story, since: int = 0) -> Counter[str]:
    """The write calls after the first so many."""
    return Counter(call.path for call in story.wecom.writes[since:])


def test_a_first_load_is_one_file(story):
    """Thirty people, no creation by call, nobody invited, nothing left to do."""
    story.people(30)
    run = story.settle()
    assert run.plan.forecast.method == "batch"
    assert run.plan.forecast.rows == 30
    assert calls(story) == {"department/create": 2, "batch/syncuser": 1}
    assert not story.wecom.invitations
    assert described(story.stage.plan().plan.writes) == []


def test_updates_go_in_files_of_equal_columns(story):
    """Titles of ten and departments of five are two files; a cleared title is a call."""
    story.people(20, title="工程师")
    story.settle()
    before = len(story.wecom.writes)
    for number in range(1, 11):
        story.hr.employees[f"E{number}"].title = "高级工程师"
    for number in range(11, 16):
        story.hr.employees[f"E{number}"].dept_code = "D2"
    story.hr.employees["E20"].title = None
    story.settle()
    assert calls(story, before) == {"batch/syncuser": 2, "user/update": 1}


def test_leavers_and_returners(story):
    """Disabling and enabling go by file too, in the column that is there for that alone."""
    story.people(9)
    story.settle()
    before = len(story.wecom.writes)
    for number in (1, 2, 3):
        story.goes(f"E{number}")
    story.settle()
    assert calls(story, before) == {"batch/syncuser": 1}
    story.person("E1")
    story.settle()
    assert story.wecom.members["e1"].enable == 1
    assert story.wecom.members["e2"].enable == 0


def test_leaders_follow_by_call(story):
    """Who leads whom is a call after the file."""
    story.people(5)
    story.person("E6", manager_no="E1")
    story.settle()
    assert calls(story) == {
        "department/create": 2,
        "batch/syncuser": 1,
        "user/update": 1,
    }


def test_a_number_that_is_taken_is_that_persons_failure(story):
    """The row's errcode is the outcome, with its hint; the others are done."""
    story.people(6)
    story.settle()
    story.person("E7", mobile=mobile(99))
    story.person("E8")
    story.wecom.set_mobile("e2", mobile(99))
    run = story.apply()
    assert outcome_of(run, "E7").errcode == 60104
    assert outcome_of(run, "E8").state is OutcomeState.DONE
    assert len(failures(run)) == 1


async def told_at(request: httpx.Request, bell: JobBell, crypto: CallbackCrypto) -> httpx.Response:
    """The receiver of WeCom's callbacks: whoever is told of a job's end rings for it."""
    query = request.url.params
    sealed = read_envelope(request.content)
    event = parse_xml(crypto.decrypt(query["msg_signature"], query["timestamp"], query["nonce"], sealed))
    assert event.findtext("Event") == "batch_job_result"
    bell.ring(event.findtext("BatchJob/JobId") or "")
    return httpx.Response(200)


def test_wecom_tells_the_end_of_a_job_to_whom_it_was_asked_to(story):
    """Signed and encrypted, at the address that went with the file; nobody waits for the next question."""
    story.people(30)
    story.save()
    where = JobCallback(url="https://hr.example.com/callback/acme", token="tok", encoding_aes_key="k" * 43)
    crypto = CallbackCrypto(where.token, where.encoding_aes_key, story.wecom.corp_id)

    async def act(corp: Corp) -> float:
        patient = replace(corp, pauses=Pauses(first=60, longest=60), job_callback=where)
        receiver = httpx.MockTransport(lambda request: told_at(request, patient.bell, crypto))
        story.wecom.callback_client = httpx.AsyncClient(transport=receiver)
        started = time.monotonic()
        async with holding(patient, "manual") as held, story.wecom.callback_client:
            run_id, decision = await preview(patient, verb="apply")
            applying = asyncio.create_task(carry_out(patient, run_id, decision, held))
            while not applying.done():
                await asyncio.sleep(0.05)
                await deliver(story.wecom)
            assert failures(await applying) == []
        return time.monotonic() - started

    assert story.stage.act(act) < 30
    (told,) = story.wecom.outbox.sent
    assert (told.callback.receiver.url, told.is_delivered) == (where.url, True)
    story.check()


def test_a_job_whose_end_is_told_is_not_waited_for(story):
    """Questions come a minute apart, and the corp's bell has the result fetched at once."""
    story.people(30)
    story.save()

    async def act(corp: Corp) -> float:
        patient = replace(corp, pauses=Pauses(first=60, longest=60))
        started = time.monotonic()
        async with holding(patient, "manual") as held:
            run_id, decision = await preview(patient, verb="apply")
            applying = asyncio.create_task(carry_out(patient, run_id, decision, held))
            while not applying.done():
                await asyncio.sleep(0.05)
                for jobid in story.wecom.jobs.imports:
                    patient.bell.ring(jobid)
            assert failures(await applying) == []
        return time.monotonic() - started

    assert story.stage.act(act) < 30
    story.check()
