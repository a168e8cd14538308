"""What an undo does not bring back, as a plan's reports tell it, and an undo as they show it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.report.test_as_text import text_of_plan, text_of_run
from wxsync.model.change import Kind
from wxsync.model.loss import Loss, LossReason
from wxsync.model.message import say
from wxsync.model.plan import Limit, Plan
from wxsync.model.run import Run, RunState
from wxsync.report.as_html import html_of_plan
from wxsync.report.as_json import plan_document

CHATS = say("it is deleted: an undo makes it anew, without its chats and its mailbox")


def loss(n: int, *fields: str, reason: LossReason = LossReason.DELETED) -> Loss:
    return Loss(
        kind=Kind.MEMBER,
        key=f"E{n:04}",
        id=f"138000{n:05}",
        name=f"员工{n}",
        reason=reason,
        why=CHATS if reason is LossReason.DELETED else say("it was changed since, and is left as it is now"),
        fields=fields,
    )


@pytest.fixture
def losing(small_plan: Plan) -> Plan:
    changed = loss(99, "mobile", "extattr.工位", reason=LossReason.CHANGED)
    return replace(small_plan, not_undoable=(*(loss(n) for n in range(1, 31)), changed))


def test_the_text_counts_them_and_names_the_first_of_each_kind(losing: Plan) -> None:
    """By what is said of them; their fields by name; no value, and an id that is a number masked."""
    text = text_of_plan(losing).partition("Not undoable")[2]
    assert text.startswith(
        " (31)\n  it is deleted: an undo makes it anew, without its chats and its mailbox (30)\n"
    )
    assert "    member E0001 员工1 (138****0001)\n" in text
    assert "E0020" in text
    assert "E0021" not in text
    assert "and 10 more" in text
    assert "member E0099 员工99 (138****0099): mobile, 工位" in text
    assert "无法撤销 (31)" in text_of_plan(losing, "zh")


def test_where_all_comes_back_nothing_is_said(small_plan: Plan) -> None:
    """No section, and no key."""
    assert "Not undoable" not in text_of_plan(small_plan)
    assert "not_undoable" not in plan_document(small_plan)
    assert "not-undoable" not in html_of_plan(small_plan, language="en", show_personal=False)


def test_the_page_and_the_document_have_all_of_them(losing: Plan) -> None:
    """However many there are."""
    page = html_of_plan(losing, language="en", show_personal=False)
    section = page.partition('id="not-undoable"')[2].partition("</section>")[0]
    assert len(re.findall(r"E00\d\d", section)) == 31
    listed = plan_document(losing)["not_undoable"]
    assert len(listed) == 31
    assert listed[-1] == {
        "kind": "member",
        "key": "E0099",
        "id": "13800000099",
        "name": "员工99",
        "fields": ["mobile", "extattr.工位"],
        "reason": "changed",
        "why": "it was changed since, and is left as it is now",
    }
    assert plan_document(losing)["digest"] == plan_document(replace(losing, not_undoable=()))["digest"]


def test_an_undo_is_called_so_and_tells_what_comes_after_it(small_plan: Plan) -> None:
    """In its title, its remark, and the command over a limit."""
    over = Limit(name="member_update", count=9, allowed=5)
    undo = replace(small_plan, undoes=7, limits=(over,))
    text = text_of_plan(undo)
    assert text.startswith("Undo of run 7  acme")
    assert "This takes run 7 back." in text
    assert f"wxsync undo 7 --apply --approve {undo.digest}" in text
    assert text_of_plan(undo, "zh").startswith("撤销运行 7")
    assert "Undo of run 7" in html_of_plan(undo, language="en", show_personal=False)
    assert plan_document(undo)["undoes"] == 7
    assert undo.digest != small_plan.digest
    empty = replace(small_plan, undoes=7, changes=())
    assert "Nothing to take back" in text_of_plan(empty)


def test_after_an_undo_the_source_is_to_be_mended(run: Run) -> None:
    """What to do next is to look at the plan that waits; where it broke off, to say it again."""
    undone = replace(run, plan=replace(run.plan, undoes=7, rejected=()), outcomes=())
    assert "the next plan by it waits for approval" in text_of_run(replace(undone, state=RunState.APPLIED))
    assert "wxsync undo 7 --apply" in text_of_run(replace(undone, state=RunState.STOPPED))


def test_what_goes_with_a_deletion_is_in_the_document(small_plan: Plan) -> None:
    """And masked as fields are."""
    change = replace(small_plan.changes[0], held={"mobile": "13812345678", "tags": ("甲",)})
    plan = replace(small_plan, changes=(change,))
    assert plan_document(plan)["changes"][0]["held"] == {"mobile": "13812345678", "tags": ["甲"]}
    assert plan_document(plan, masked=True)["changes"][0]["held"]["mobile"] == "138****5678"
