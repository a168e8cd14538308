"""The JSON documents are those of the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from wxsync.model.change import VERBS, Verb
from wxsync.model.plan import Plan
from wxsync.model.run import Run
from wxsync.report.as_json import (
    error_document,
    moment,
    plan_document,
    plan_text,
    run_document,
    to_json,
)


def test_the_document_of_a_small_plan(small_plan: Plan) -> None:
    """Key names, their order and every value are the contract's."""
    document = plan_document(small_plan)
    assert list(document) == [
        "format",
        "sync",
        "corp_id",
        "created_at",
        "digest",
        "complete",
        "summary",
        "changes",
        "rejected",
        "limits",
        "forecast",
    ]
    assert document["format"] == "wxsync-plan/1"
    assert document["created_at"] == "2026-01-31T08:00:00Z"
    assert document["complete"] is True
    assert document["summary"]["member"] == {
        "create": 2,
        "adopt": 0,
        "update": 1,
        "enable": 0,
        "disable": 1,
        "delete": 0,
        "keep": 3,
    }
    assert document["changes"][0] == {
        "n": 1,
        "kind": "member",
        "verb": "update",
        "key": "E0042",
        "id": "e0042",
        "name": "林梅",
        "fields": {
            "position": {"before": "工程师", "after": "高级工程师"},
            "mobile": {"before": {"unknown": True}, "after": "13812341234"},
        },
        "why": "position differs from the source",
    }
    assert list(document["changes"][0]) == ["n", "kind", "verb", "key", "id", "name", "fields", "why"]
    assert document["changes"][4]["reason"] == "grace"
    assert document["limits"] == [{"name": "member_remove", "count": 1, "allowed": 5, "exceeded": False}]
    assert document["forecast"] == {"calls": 5, "seconds": 0.8, "method": "single"}


def test_kinds_and_verbs_stand_in_order(plan: Plan) -> None:
    """The summary has every kind and every verb that the kind knows, in the contract's order."""
    summary = plan_document(plan)["summary"]
    assert [(kind, list(verbs)) for kind, verbs in summary.items()] == [
        (kind.value, [verb.value for verb in verbs]) for kind, verbs in VERBS.items()
    ]
    assert list(summary) == ["department", "member", "tag"]
    assert list(summary["tag"]) == ["create", "adopt", "update", "delete", "keep"]


def test_optional_keys_stand_only_where_they_say_something(plan: Plan) -> None:
    """reason is on keeps only, temporary where true, detail where a limit has one."""
    document = plan_document(plan)
    for change, said in zip(plan.changes, document["changes"], strict=True):
        assert ("reason" in said) == (change.verb is Verb.KEEP)
        assert said.get("temporary") is (True if change.is_temporary else None)
    assert [limit.get("detail") for limit in document["limits"] if "detail" in limit] == [
        "position",
        "hr.members",
    ]
    assert document["limits"][1]["allowed"] is None
    assert document["rejected"][0] == {
        "kind": "member",
        "key": "E0099",
        "field": "mobile",
        "rule": "phone_number",
        "problem": "mobile is not a phone number",
    }


def test_orders_and_lists_are_json(plan: Plan) -> None:
    """Departments are a list with WeCom ids as numbers, orders an object."""
    fields = next(each for each in plan_document(plan)["changes"] if each["key"] == "E0052")["fields"]
    assert fields["departments"] == {"before": ["D110", "D120", 7], "after": ["D120", 7, "D300"]}
    assert fields["order"]["after"] == {"D120": 9, "D300": 1}


def test_values_are_full_unless_masked(plan: Plan) -> None:
    """Masking changes personal values and nothing else, the digest least of all."""
    full, masked = plan_document(plan), plan_document(plan, masked=True)
    assert "13812341234" in to_json(full)
    for personal in ("13812341234", "98765432", "lin.mei@", "张江路", "13912345678"):
        assert personal not in to_json(masked)
    assert "138****1234" in to_json(masked)
    assert masked["digest"] == full["digest"] == plan.digest
    assert masked["summary"] == full["summary"]


def test_language_changes_only_words(plan: Plan) -> None:
    """why and problem are in the language asked for; codes, values and digest are the same."""
    english, chinese = plan_document(plan, "en"), plan_document(plan, "zh")
    assert chinese["rejected"][0]["problem"] == "手机号不是有效的电话号码"
    assert chinese["changes"][1]["why"] == "数据源中有，企业微信中尚无"
    for document in (english, chinese):
        for change in document["changes"]:
            del change["why"]
        for rejected in document["rejected"]:
            del rejected["problem"]
    assert english == chinese


def test_the_document_of_a_run(run: Run) -> None:
    """A run holds its whole plan and every outcome."""
    document = run_document(run, "zh")
    assert list(document) == [
        "format",
        "id",
        "sync",
        "trigger",
        "started_at",
        "finished_at",
        "state",
        "plan",
        "outcomes",
    ]
    assert document["format"] == "wxsync-run/1"
    assert document["state"] == "applied"
    assert document["finished_at"] == "2026-01-31T08:00:09Z"
    assert document["plan"] == plan_document(run.plan, "zh")
    assert document["outcomes"][1] == {
        "n": 2,
        "state": "failed",
        "errcode": 60008,
        "hint": "已有同名部门，或已有使用此 id 的部门",
        "attempts": 1,
    }
    assert run_document(replace(run, finished_at=None))["finished_at"] is None


def test_the_document_of_an_error() -> None:
    """An error is its code, its message and its hint, which is null where there is none."""
    assert error_document(code="config", message="sync.acme.mode: missing\nsync.acme.corp: missing") == {
        "format": "wxsync-error/1",
        "code": "config",
        "message": "sync.acme.mode: missing\nsync.acme.corp: missing",
        "hint": None,
    }
    refused = {
        "code": "wecom_api",
        "message": "WeCom refused it",
        "hint": "WeCom has no such record: run again",
    }
    assert error_document(**refused)["hint"] == "WeCom has no such record: run again"
    translated = error_document(**refused, language="zh")
    assert (translated["message"], translated["hint"]) == (
        "WeCom refused it",
        "企业微信中没有此记录：请再次运行",
    )


def test_text_is_one_document_that_reads_back(plan: Plan) -> None:
    """to_json keeps Chinese as it is and ends in one line feed."""
    text = to_json(plan_document(plan))
    assert json.loads(text) == plan_document(plan)
    assert "研发三部" in text
    assert text.endswith("}\n")


def test_a_text_in_pieces_is_the_same_text(plan: Plan, small_plan: Plan) -> None:
    """Letter for letter, also without any change, in every language, and masked."""
    for each in (plan, small_plan, replace(plan, changes=())):
        for language, masked in (("en", False), ("zh", True)):
            whole = to_json(plan_document(each, language, masked))
            assert "".join(plan_text(each, language, masked)) == whole
    assert sum(1 for _ in plan_text(plan)) > len(plan.changes)


def test_times_are_utc() -> None:
    """A time of any zone is shown as UTC to the second."""
    shanghai = timezone(timedelta(hours=8))
    assert moment(datetime(2026, 1, 31, 16, 0, 0, 999, tzinfo=shanghai)) == "2026-01-31T08:00:00Z"
    assert moment(datetime(2026, 1, 31, 8, tzinfo=UTC)) == "2026-01-31T08:00:00Z"
    assert moment(datetime(2026, 1, 31, 8, tzinfo=UTC).replace(tzinfo=None)) == "2026-01-31T08:00:00Z"
