"""Messages and names in the language of their reader."""

from __future__ import annotations

from datetime import date

from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.message import say
from wxsync.report.locale import field_name, name_of, translate


def test_english_is_the_template() -> None:
    """In English the message reads as `str()` has it, codes of fields included."""
    message = say("{fields} differs from the source", fields="main_department, position")
    assert translate(message, "en") == str(message) == "main_department, position differs from the source"


def test_fields_get_their_chinese_names() -> None:
    """In Chinese the codes of fields in a message become their names."""
    message = say("{fields} differs from the source", fields="main_department, extattr.工号")
    assert translate(message, "zh") == "主部门、工号与数据源不同"


def test_facts_that_are_messages_are_translated() -> None:
    """A message inside a message is translated too."""
    inner = say("it was not read to its end")
    assert translate(say("{source}.{query}: {problem}", source="hr", query="tags", problem=inner), "zh") == (
        "hr.tags：未读到末尾"
    )


def test_dates_lists_and_codes_read_well() -> None:
    """Dates are ISO dates, lists are joined as the language does, kinds and verbs have names."""
    assert translate(say("{a}", a=date(2026, 1, 31)), "zh") == "2026-01-31"
    assert translate(say("{a}", a=["D1", "D2"]), "zh") == "D1、D2"
    assert translate(say("{a}", a=("D1", "D2")), "en") == "D1, D2"
    assert translate(say("{a}", a=Kind.MEMBER), "zh") == "成员"
    assert translate(say("{a} {b}", a=Verb.DISABLE, b=Reason.GRACE), "zh") == "禁用 宽限期内"
    assert translate(say("{a}", a=Verb.DISABLE), "en") == "disable"


def test_what_nobody_translated_stays_english() -> None:
    """A template that the catalogue lacks, and a language that nobody knows, give the English text."""
    assert translate(say("no such text as {this}", this="this"), "zh") == "no such text as this"
    assert translate(say("empty"), "xx") == "empty"


def test_a_bare_text_is_looked_up_whole() -> None:
    """A text that is no message, such as an error's hint, is translated where the catalogue has it."""
    assert translate("WeCom has no such record: run again", "zh") == "企业微信中没有此记录：请再次运行"
    assert translate("errcode 1 {odd", "zh") == "errcode 1 {odd"


def test_names_depend_on_their_context() -> None:
    """One code has a name for each context; a code that nobody named stays itself."""
    assert name_of("reason", "unknown", "zh") == "在企业微信中的值未知"
    assert name_of("outcome", "unknown", "zh") == "结果不明"
    assert name_of("limit", "brand_new", "zh") == "brand_new"
    assert field_name("extattr.工号", "en") == "工号"
