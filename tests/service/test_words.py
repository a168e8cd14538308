"""A notice as it is read: in Chinese and English, within what a card shows, and for programs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from tests.house.tree import ROOT
from wxsync.model.message import say
from wxsync.model.notice import Count, Notice, NoticeKind
from wxsync.service.notify.document import notice_document
from wxsync.service.notify.faces import asking_card, card, decided_card, markdown
from wxsync.service.notify.words import cut_bytes, letter
from wxsync.wecom.measures import overlong

AT = datetime(2026, 3, 10, 9, 0, tzinfo=timezone(timedelta(hours=8)))
DIGEST = "sha256:" + "c21ff1cd" * 8
FULL = Notice(
    kind=NoticeKind.WAITS,
    corp="acme",
    sync="acme",
    at=AT,
    run=4,
    done=(Count("department", "create", 3), Count("member", "create", 12), Count("member", "update", 240)),
    planned=(Count("member", "disable", 15), Count("tag", "update", 2)),
    failed=3,
    skipped=2,
    unknown=1,
    rejected=7,
    reasons=("members disabled or deleted: 15, allowed 5",),
    digest=DIGEST,
    command=f"wxsync approve {DIGEST}",
    asks=True,
)
LINK = "https://work.weixin.qq.com/"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_its_words(kind: NoticeKind, language: str) -> None:
    """In either language, and Chinese has no English sentence in it."""
    told = letter(replace(FULL, kind=kind, reasons=(), command=""), language)
    print("\n".join([told.title, *told.lines]), "\n")
    assert told.title.startswith("acme")
    assert told.origin
    if language == "zh":
        words = re.findall(r"[A-Za-z]{3,}", " ".join([told.title, *told.lines]))
        assert set(words) <= {"acme"}


def test_a_plan_that_waits_in_chinese() -> None:
    """Word for word, as it is read."""
    told = letter(replace(FULL, done=(), failed=0, skipped=0, unknown=0, rejected=0, reasons=()), "zh")
    assert told.title == "acme：有计划待审批"
    assert told.lines == (
        "计划：成员 禁用 15；标签 更新 2",
        "未写入任何内容。如确认无误，请在 24 小时内批准：",
        f"wxsync approve {DIGEST}",
        "企业 acme，运行 4，2026-03-10 09:00+08:00",
    )


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", NoticeKind)
def test_a_card_shows_all_of_its_words(kind: NoticeKind, language: str) -> None:
    """A client would cut off what is longer, in the middle of a command (WeCom page 90236)."""
    notice = replace(FULL, kind=kind)
    assert overlong(card(notice, language, LINK)) == ()
    assert overlong(asking_card(notice, language, "t")) == ()
    assert overlong(decided_card(notice, language, LINK, say("{who} approved it", who="lin.mei"))) == ()
    shown = card(notice, language, LINK)
    assert "…" not in shown.main_title.title
    assert shown.sub_title_text.endswith(notice.command)


def test_what_is_endless_is_cut() -> None:
    """A sync's name of 64 characters, a thousand reasons; the command and the run stay."""
    endless = replace(FULL, sync="x" * 64, reasons=("很长的原因" * 400,) * 8, error="e" * 9000)
    told = markdown(endless, "zh")
    assert len(told.content.encode()) <= 4096
    assert endless.command in told.content
    shown = card(endless, "zh", LINK)
    assert overlong(shown) == ()
    assert shown.main_title.title.endswith("…：有计划待审批")


def test_what_a_source_calls_itself_is_no_markup() -> None:
    """A department's name makes no link, and no colour."""
    told = markdown(replace(FULL, reasons=("[a](https://evil.example) <font> `x` **b**",)), "en")
    assert "](" not in told.content
    assert "**b**" not in told.content
    assert "> ［a］(https://evil.example) 〈font〉 'x' ＊＊b＊＊" in told.content


def test_bytes_are_cut_between_characters() -> None:
    """Three bytes each, and three for the sign."""
    assert cut_bytes("汉字汉字", 12) == "汉字汉字"
    assert cut_bytes("汉字汉字", 11) == "汉字…"


def test_every_key_of_a_notice_is_told() -> None:
    """docs/reference.md has the keys of wxsync-notice/1 and no other, and every kind."""
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    table = text.partition("### `wxsync-notice/1`")[2].partition("\n### ")[0]
    told = {re.split(r"[.\[]", key)[0] for key in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)}
    assert told == set(notice_document(FULL, "en", 1))
    kinds = text.partition("## What it tells")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", kinds, re.MULTILINE) == [kind.value for kind in NoticeKind]


def test_a_program_gets_plain_values() -> None:
    """Counts by kind and verb, times in UTC, null for what is not there."""
    document = notice_document(replace(FULL, error="", hint=""), "en", 7)
    assert (document["id"], document["at"], document["error"]) == (7, "2026-03-10T01:00:00Z", None)
    assert document["done"] == {"department": {"create": 3}, "member": {"create": 12, "update": 240}}
