"""What WeCom tells by itself reaches the next plan, and never more than that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.journeys.story import Story
from tests.service.sender import FORMER, KEYS, Sender, change_xml, client
from wxsync.config.settings import Settings
from wxsync.engine.corp import Corp
from wxsync.model.change import Verb
from wxsync.sandbox.callbacks import deliver, verify_url
from wxsync.sandbox.receivers import Receiver
from wxsync.service.callbacks import callback_routes
from wxsync.service.inbox_desk import Reactions, Worked, work_off
from wxsync.service.letterbox import Letterbox


class Told(Story):
    """A company whose WeCom tells the daemon what happens; the address was saved long ago."""

    changed: list[str]
    jobs: list[tuple[str, str]]

    def listen(self, *, is_full: bool = True) -> None:
        self.changed, self.jobs = [], []
        receiver = Receiver(url="https://wxsync.test/callback/acme", **KEYS)
        self.wecom.callback, self.wecom.full_callbacks = receiver, is_full
        self.wecom.clock = lambda: self.stage.now.timestamp()  # noqa: PLW0108 - the moment moves
        self.wecom.outbox.waiting.clear()

    def hear(self) -> Worked:
        """What waits is sent, through the daemon's own receiver, and worked off."""
        return self.stage.act(self._hear)

    def say(self, message: bytes) -> Worked:
        """One event, made up."""

        async def act(corp: Corp) -> Worked:
            async with client(self._served(corp)) as http:
                sender = Sender(corp_id=self.wecom.corp_id)
                answer = await http.send(sender.post(message, at=self.stage.now.timestamp()))
                assert answer.status_code == 200
            return await self._work_off(corp)

        return self.stage.act(act)

    async def _hear(self, corp: Corp) -> Worked:
        async with client(self._served(corp)) as http:
            self.wecom.callback_client = http
            assert self.wecom.callback is not None
            assert await verify_url(self.wecom, self.wecom.callback)
            await deliver(self.wecom)
        assert all(each.is_delivered for each in self.wecom.outbox.sent)
        return await self._work_off(corp)

    async def _work_off(self, corp: Corp) -> Worked:
        reactions = Reactions(
            on_change=self.changed.append, on_job=lambda corp, job: self.jobs.append((corp, job))
        )
        return await work_off(corp.store, corp.name, reactions, lambda: self.stage.now)

    def _served(self, corp: Corp) -> Starlette:
        keys = {**KEYS, "former": (FORMER,)}
        corps = {
            "acme": {
                "corp_id": corp.corp_id,
                "contact_secret": "s",
                "callback": keys,
            }
        }
        settings = Settings.model_validate({"mirror": {"url": "sqlite:////nowhere.db"}, "corp": corps})
        box = Letterbox(corp.store, clock=lambda: self.stage.now)
        routes = callback_routes(lambda: settings, box, clock=lambda: self.stage.now)
        return Starlette(routes=routes)


@pytest.fixture
def story(tmp_path: Path) -> Told:
    """Three people with a title, in WeCom for an hour; nothing but ids can be read."""
    told = Told(tmp_path)
    for employee in told.people(3):
        employee.title = "工程师"
    told.settle()
    told.listen()
    told.stage.later(hours=1)
    return told


def writes(story: Story) -> list[tuple[str, str | None, dict[str, Any]]]:
    """Verb, key and fields of every change of the next plan."""
    return [
        (change.verb.value, change.key, {name: field.after for name, field in change.fields.items()})
        for change in story.stage.plan().plan.writes
    ]


def test_a_hidden_change_by_hand_is_put_back(story: Told) -> None:
    """Who has a number that nobody can read is told of; the next run writes the source's, and all is well."""
    story.wecom.set_mobile("e1", "13999999999")
    assert story.hear() == Worked(changes=1)
    assert story.changed == ["acme"]
    [(verb, key, fields)] = writes(story)
    assert (verb, key, fields) == ("update", "E1", {"mobile": "13800000001"})
    story.settle()
    story.stage.later(hours=1)
    story.settle()
    assert story.member("E1").mobile == "13800000001"


def test_what_is_as_it_was_is_not_written(story: Told) -> None:
    """A value that is told and is the source's own changes nothing."""
    story.say(change_xml("update_user", UserID="e1", Mobile="13800000001", Position="工程师"))
    assert writes(story) == []


def test_whose_word_counts_is_asked_for_a_told_value_too(tmp_path: Path) -> None:
    """With authority "wecom" the told value is taken as it is, and stays."""
    story = Told(tmp_path, authority={"mobile": "wecom"})
    story.people(2)
    story.settle()
    story.listen()
    story.stage.later(hours=1)
    story.wecom.set_mobile("e1", "13999999999")
    story.hear()
    assert writes(story) == []
    story.apply()
    story.stage.later(hours=1)
    story.apply()
    assert story.member("E1").mobile == "13999999999"
    assert story.stage.plan().remembered.members["E1"].member.mobile == "13999999999"


def test_an_event_from_before_our_last_write_says_nothing(story: Told) -> None:
    """It comes late: wxsync has written to the member since, and what is told is of before."""
    before = story.stage.now.timestamp()
    story.stage.later(minutes=10)
    story.hr.employees["E1"].mobile = "13800000077"
    story.settle()
    story.stage.later(minutes=10)
    story.say(change_xml("update_user", UserID="e1", Mobile="13999999999", CreateTime=int(before)))
    assert writes(story) == []


def test_an_event_of_the_future_is_of_now(story: Told) -> None:
    """A clock that is ahead does not make it hold for ever: the next write of ours is later."""
    far = int(story.stage.now.timestamp()) + 5 * 86400
    story.say(change_xml("update_user", UserID="e1", Mobile="13999999999", CreateTime=far))
    assert len(writes(story)) == 1
    story.settle()
    story.stage.later(hours=1)
    assert writes(story) == []


def made_anew(story: Told) -> None:
    """Somebody deletes E1 in the console, and makes another account of that userid in the same place."""
    place = list(story.member("E1").department)
    story.wecom.remove_member("e1")
    story.wecom.add_member("e1", "somebody", department=place, mobile="13911111111")
    assert story.hear().changes == 2


def test_an_account_that_was_made_anew_is_written_once_more(story: Told) -> None:
    """Deleted and made again by hand between two runs: the place is as it was, and nothing else is."""
    story.listen(is_full=False)
    made_anew(story)
    [(verb, key, fields)] = writes(story)
    assert (verb, key) == ("update", "E1")
    assert fields["mobile"] == "13800000001"
    assert fields["position"] == "工程师"
    assert fields["name"] == "员工1"
    story.settle()
    story.stage.later(hours=1)
    assert writes(story) == []


def test_an_account_of_somebody_else_is_left_alone(story: Told) -> None:
    """Name and number are told, and are neither's: whoever that is, it is not written over."""
    made_anew(story)
    decision = story.stage.plan()
    assert decision.plan.writes == ()
    assert [(each.key, each.rule) for each in decision.plan.rejected] == [("E1", "userid_taken")]


@pytest.mark.parametrize(
    "message",
    [
        change_xml("delete_user", UserID="e1"),
        change_xml("delete_user", UserID="E1"),
        change_xml("delete_user", UserID="stranger"),
        change_xml("update_user", UserID="e1", NewUserID="e9", Department="1"),
        change_xml("update_user", UserID="e1", Department="", Name="", Mobile=""),
        change_xml("create_user", UserID="e9", Department="1", Mobile="13800000001", Name="员工1"),
        change_xml("delete_party", Id="2"),
        change_xml("update_party", Id="2", ParentId="1", Name="x"),
        change_xml("update_tag", TagId="1", DelUserItems="e1,e2,e3"),
        change_xml("update_user", UserID="e1", Status="5"),
    ],
)
def test_what_is_not_so_removes_nobody(story: Told, message: bytes) -> None:
    """WeCom said it and does not show it: nobody is removed, made, moved or taken for ours by it."""
    members, departments = len(story.wecom.members), len(story.wecom.departments)
    assert story.say(message).changes == 1
    planned = story.stage.plan().plan.writes
    assert {change.verb for change in planned} <= {Verb.UPDATE}
    assert not {"departments", "enable", "members", "parent"} & {
        name for each in planned for name in each.fields
    }
    story.settle()
    assert (len(story.wecom.members), len(story.wecom.departments)) == (members, departments)


def test_a_new_address_hears_ids_only_and_the_run_comes_all_the_same(story: Told) -> None:
    """Who was moved by hand is moved back by the run that the event pulled forward."""
    story.listen(is_full=False)
    story.wecom.move_member("e1", [1])
    assert story.hear().changes == 1
    assert story.changed == ["acme"]
    [(verb, key, fields)] = writes(story)
    assert (verb, key, list(fields)) == ("update", "E1", ["departments", "main_department"])


def test_our_own_writes_are_not_told(story: Told) -> None:
    """WeCom does not call the assistant back for what it did itself: no run pulls the next one."""
    story.hr.employees["E1"].title = "总监"
    story.settle()
    assert story.hear().count == 0
    assert story.changed == []
