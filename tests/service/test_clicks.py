"""A plan that waits, a card that asks, a click: carried out by those who may, and by nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.telling import CHIEF, OTHER, Told, company
from wxsync.mirror import approvals
from wxsync.model.run import RunState
from wxsync.sandbox.postbox import Message

ASKING = {"chiefs": {"type": "app", "recipients": [CHIEF, OTHER], "approvers": [CHIEF.upper()]}}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """Fifteen of forty people are gone from the source, which is over a limit."""
    with company(tmp_path, ASKING) as told:
        told.gone(11, 25)
        yield told


def enabled(told: Told) -> int:
    return sum(member.enable for member in told.story.wecom.members.values())


def asked(told: Told) -> Message:
    """The plan is refused, and the card asks."""
    finished = told.run()
    assert finished.is_refused
    return told.cards[-1]


def test_a_plan_over_its_limit_is_carried_out_by_the_click_of_an_approver(told: Told) -> None:
    """The card says what, why and what to type; the run goes by the userid of who clicked."""
    card = asked(told)
    assert card.card_type == "button_interaction"
    assert card.content["main_title"]["title"] == "acme: a plan waits for approval"
    assert "members disabled or deleted: 15, allowed 5" in card.content["quote_area"]["quote_text"]
    assert card.content["horizontal_content_list"][0]["value"] == "disable 15"
    assert [button["text"] for button in card.content["button_list"]] == ["Approve", "Reject"]

    wanted = told.click(CHIEF, "approve", card)

    assert wanted is not None
    assert f"wxsync approve {wanted.digest}" in card.content["sub_title_text"]
    assert enabled(told) == 40
    finished = told.run(wanted)
    assert finished.run is not None
    assert finished.run.state is RunState.APPLIED
    assert enabled(told) == 25
    assert told.story.member("E1").enable
    for userid in (CHIEF, OTHER):
        assert card.card_of(userid)["main_title"]["title"] == "acme: e1 approved it"
        assert "button_list" not in card.card_of(userid)


def test_whoever_may_not_decide_is_told_so_and_nothing_happens(told: Told) -> None:
    """The card stays as it is, for whoever may."""
    card = asked(told)

    assert told.click(OTHER, "approve", card) is None
    assert told.click(OTHER, "reject", card) is None

    assert told.messages[-1].receivers == (OTHER,)
    assert "You may not decide on plans of sync acme" in told.messages[-1].content["content"]
    assert enabled(told) == 40
    assert told.run().is_refused
    assert told.click(CHIEF, "approve", card) is not None


def test_a_rejected_plan_is_not_carried_out(told: Told) -> None:
    """Nor asked about anew; the card says who rejected it."""
    card = asked(told)

    assert told.click(CHIEF, "reject", card) is None

    assert card.card_of(OTHER)["main_title"]["title"] == "acme: e1 rejected it"
    assert told.press(CHIEF, "approve", card.task_id) is None
    finished = told.run()
    assert finished.is_refused
    assert "said no" in str(finished.error) or "rejected" in str(finished.error)
    assert enabled(told) == 40
    assert len(told.cards) == 1


def test_a_second_click_does_nothing(told: Told) -> None:
    """WeCom sends an event up to four times, and people press twice."""
    card = asked(told)
    first = told.press(CHIEF, "approve", card.task_id)
    assert first is not None

    assert told.press(CHIEF, "approve", card.task_id) is None
    assert told.press(CHIEF, "reject", card.task_id) is None

    assert told.run(first).run.state is RunState.APPLIED  # type: ignore[union-attr]
    assert told.press(CHIEF, "approve", card.task_id) is None


@pytest.mark.parametrize(
    ("task_id", "key"),
    [("wxsync-0-0", "approve"), ("", "approve"), ("' OR 1=1", "approve"), (None, "delete"), (None, "")],
)
def test_a_forged_click_does_nothing(told: Told, task_id: str | None, key: str) -> None:
    """A task_id that no card has, a key that no button has."""
    card = asked(told)
    before = len(told.messages)

    assert told.press(CHIEF, key, card.task_id if task_id is None else task_id) is None

    assert len(told.messages) == before
    assert told.click(CHIEF, "approve", card) is not None


def test_a_card_of_another_corp_decides_nothing(told: Told) -> None:
    """Whoever has the keys of one corp says nothing in another."""
    card = asked(told)
    assert told.press("e1", "approve", card.task_id, corp="branch") is None
    assert told.click(CHIEF, "approve", card) is not None


def test_a_card_of_yesterday_decides_nothing(told: Told) -> None:
    """As `wxsync approve` after 24 hours."""
    card = asked(told)
    told.story.stage.later(hours=25)

    assert told.click(CHIEF, "approve", card) is None

    assert card.card_of(CHIEF)["main_title"]["title"] == "acme: this plan is older than a day"


def test_who_was_an_approver_when_the_card_was_sent_and_is_no_more(told: Told) -> None:
    """The config of now decides."""
    card = asked(told)
    channel = told.settings.notify["chiefs"].model_copy(update={"approvers": (OTHER,)})
    told.settings = told.settings.model_copy(update={"notify": {"chiefs": channel}})

    assert told.click(CHIEF, "approve", card) is None
    assert told.click(OTHER, "approve", card) is not None


def test_a_card_after_somebody_decided_elsewhere(told: Told) -> None:
    """`wxsync reject` was quicker: the click changes nothing, and the card says so."""
    card = asked(told)
    digest = card.content["sub_title_text"].rpartition(" ")[2]
    with told.store.transaction() as connection:
        offer = approvals.offer_of(connection, digest)
        assert offer is not None
        approvals.reject(connection, offer, "lin", told.story.stage.now)

    assert told.click(CHIEF, "approve", card) is None

    assert card.card_of(CHIEF)["main_title"]["title"] == "acme: lin rejected it"


def test_another_plan_by_then_is_not_carried_out(told: Told) -> None:
    """The yes was to fifteen people, and now it is sixteen: a new card asks, and says what is otherwise."""
    wanted = told.click(CHIEF, "approve", asked(told))
    assert wanted is not None
    told.gone(26, 26)

    assert told.run(wanted).is_refused

    assert enabled(told) == 40
    assert "member E26: disable was not planned" in told.cards[-1].content["quote_area"]["quote_text"]
    assert len(told.cards) == 2


def test_a_yes_outlives_the_daemon_that_heard_it(told: Told) -> None:
    """It died before the run began: the next one finds what was approved, once."""
    wanted = told.click(CHIEF, "approve", asked(told))
    told.notifier = told.begun()

    [found] = told.wanted()
    assert found == wanted
    assert told.run(found).run.state is RunState.APPLIED  # type: ignore[union-attr]
    assert told.wanted() == ()


def test_without_approvers_a_card_has_no_buttons(tmp_path: Path) -> None:
    """It says what to type."""
    with company(tmp_path, {"all": {"type": "app", "recipients": [CHIEF]}}) as told:
        told.gone(11, 25)
        told.run()
        [card] = told.cards
        assert card.card_type == "text_notice"
        assert "wxsync approve sha256:" in card.content["sub_title_text"]


def test_in_plan_mode_a_plan_over_its_limit_may_be_approved(tmp_path: Path) -> None:
    """The daemon by itself only reports; somebody's yes is not by itself."""
    with company(tmp_path, ASKING, mode="plan") as told:
        told.gone(11, 25)
        finished = told.run()
        assert finished.run is None
        wanted = told.click(CHIEF, "approve", told.cards[-1])
        assert told.run(wanted).run.state is RunState.APPLIED  # type: ignore[union-attr]
        assert enabled(told) == 25
