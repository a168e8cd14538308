"""The text report says everything, aligned, in both languages, and hides what is personal."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import replace

import pytest
from rich.console import Console

from wxsync.model.change import Kind, Verb
from wxsync.model.desired import Aside, LeftOut, ReadingProof
from wxsync.model.message import say
from wxsync.model.plan import Forecast, Limit, Plan
from wxsync.model.run import Run, RunState
from wxsync.report.as_json import plan_document
from wxsync.report.as_text import print_plan, print_run


def text_of_plan(plan: Plan, language: str = "en", *, show_personal: bool = False, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_plan(plan, console, language=language, show_personal=show_personal)
    return _written(console)


def text_of_run(run: Run, language: str = "en") -> str:
    console = Console(file=io.StringIO(), width=100)
    print_run(run, console, language=language, show_personal=False)
    return _written(console)


def _written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_last_lines_are_total_and_digest(small_plan: Plan) -> None:
    """A report ends with what the plan comes to and its digest."""
    lines = text_of_plan(small_plan).splitlines()
    assert lines[-2] == "Plan: 2 to create, 1 to update, 1 to disable, 0 to delete; 3 kept"
    assert lines[-1] == f"Digest: {small_plan.digest}"
    assert text_of_plan(small_plan, "zh").splitlines()[-2] == "计划：新增 2、更新 1、禁用 1、删除 0；保留 3"


def test_who_is_left_out_of_groups_is_counted(small_plan: Plan) -> None:
    """Members of groups who are nobody of the sync are a number, in all and for each of ten groups."""
    groups = tuple(LeftOut(name=f"g{n:02}", count=n) for n in range(12, 0, -1))
    reading = ReadingProof(
        source="ad", query="tags", rows=55, is_complete=True, left_out=3, left_out_of=groups
    )
    for plan in (small_plan, replace(small_plan, changes=())):
        text = text_of_plan(replace(plan, readings=(reading,)))
        assert "ad.tags: 3 members of groups are not among the people" in text
        assert "    g12 12, g11 11, g10 10, g09 9, g08 8, g07 7, g06 6, g05 5, g04 4, g03 3 (+2)\n" in text
        assert "3 个成员不属于" in text_of_plan(replace(plan, readings=(reading,)), "zh")
    assert "Nothing to do" in text
    assert "members of groups" not in text_of_plan(small_plan)


def test_what_stands_against_files_that_replace_all_is_told(small_plan: Plan) -> None:
    """Each of it on a line of its own, in either language; in JSON as a list."""
    obstacle = say("departments in WeCom that are not ours: {count} ({some})", count=2, some="7, 8")
    told = replace(small_plan, forecast=Forecast(calls=1, seconds=1.2, obstacles=(obstacle,)))
    assert "policy.replace is on, and this plan does without" in text_of_plan(told)
    assert "    departments in WeCom that are not ours: 2 (7, 8)\n" in text_of_plan(told)
    assert "企业微信中不归本工具管理的部门：2（7, 8）" in text_of_plan(told, "zh")
    assert plan_document(told)["forecast"]["obstacles"] == [str(obstacle)]
    assert "obstacles" not in plan_document(small_plan)["forecast"]


def test_one_of_something_reads_well(small_plan: Plan) -> None:
    """Numbers stand where no plural is needed, in either language."""
    one = replace(small_plan, forecast=Forecast(calls=1, seconds=1.2))
    assert "Forecast: calls to WeCom: 1, 1 s (" in text_of_plan(one)
    assert "调用企业微信 1 次，1 秒" in text_of_plan(one, "zh")


def test_every_change_is_shown(plan: Plan) -> None:
    """Every change that is not a keep has its line, with sign, key and name."""
    text = text_of_plan(plan)
    signs = {"create": "+", "adopt": "=", "update": "~", "enable": "↑", "disable": "↓", "delete": "-"}
    for change in plan.changes:
        if change.verb is not Verb.KEEP:
            head = " ".join(dict.fromkeys(filter(None, (change.key, change.name))))
            assert f"    {signs[change.verb]} {head}" in text


def test_a_creation_is_one_line(plan: Plan) -> None:
    """A new member is told in one line, and a reason that all share is told once."""
    text = text_of_plan(plan)
    line = next(line for line in text.splitlines() if "E0101" in line)
    assert line == (
        "    + E0101 杨强  mobile 138****0101 · e-mail m***@example.com · "
        "departments D300 研发三部, D310 平台组 · position 高级软件工程师 · gender female"
    )
    assert "  create (18) — it is in the source and not yet in WeCom\n" in text


def test_an_update_tells_before_and_after(plan: Plan) -> None:
    """Texts are told as before and after, lists by what comes and goes, orders by what moved."""
    text = text_of_plan(plan)
    assert (
        "    ~ E0042 黄艳 — position differs from the source\n        position: 工程师 → 高级工程师\n" in text
    )
    assert "        departments: +D300 研发三部, -D110 华东销售部\n" in text
    assert "        order: +D300 研发三部 = 1, -D110 华东销售部 = 3, D120 华北销售部 5 → 9\n" in text
    assert "        people: +E0100 陈丽, +E0101 杨强, -E0062 张明\n" in text
    assert "        name: unknown → 华东销售部\n" in text


def test_masked_values_that_look_the_same_say_so(plan: Plan) -> None:
    """Where masking hides the difference, the line says it."""
    assert "mobile: 138****1234 → 138****1234 (differs in what is masked)" in text_of_plan(plan)
    assert "mobile: 13812341234 → 13899991234\n" in text_of_plan(plan, show_personal=True)


def test_personal_values_are_shown_only_when_asked_for(plan: Plan) -> None:
    """Phone numbers, e-mails and addresses are masked, keys and names are not."""
    text = text_of_plan(plan)
    for personal in ("13812341234", "98765432", "lin.mei@", "张江路", "13912345678"):
        assert personal not in text
        assert personal in text_of_plan(plan, show_personal=True)


def test_markup_and_controls_are_text(small_plan: Plan) -> None:
    """Brackets are no markup, and what acts on a terminal is made visible."""
    hostile = "[red]x[/red]\x1b[2J\u202eabc\nPlan: 0"
    changes = (replace(small_plan.changes[0], name=hostile), *small_plan.changes[1:])
    text = text_of_plan(replace(small_plan, changes=changes))
    assert "[red]x[/red]\ufffd[2J\ufffdabc\ufffdPlan: 0" in text
    assert "\x1b" not in text


def test_keeps_are_folded_by_reason(plan: Plan) -> None:
    """Keeps are counted by reason with the first few, foreign records are only counted."""
    text = text_of_plan(plan)
    assert "  within the days of grace (6)\n    · E0070" in text
    assert "      and 3 more\n" in text
    assert "E0073" not in text
    assert "  not made by wxsync (13)\n" in text
    assert "only counted: Departments 2, Members 11\n" in text


def test_an_exceeded_limit_is_marked(plan: Plan) -> None:
    """Over a limit the report says so at its head, with the command that approves the plan."""
    text = text_of_plan(plan)
    assert "!! Over the limit: apply writes nothing of this plan.\n" in text
    assert f"    wxsync apply acme --approve {plan.digest}\n" in text
    row = next(line for line in text.splitlines() if line.startswith("  members disabled or deleted"))
    assert row.split()[-4:] == ["8", "/", "5", "OVER"]
    assert "18 / no limit  within" in text


def test_a_mirror_in_doubt_is_told(small_plan: Plan) -> None:
    """A full corp before an empty mirror is a question to the reader, in the reader's language."""
    limit = Limit(name="first_load", count=300, allowed=20, detail="new or lost mirror?")
    doubtful = replace(small_plan, limits=(limit,))
    assert "members in WeCom before a first load (new or lost mirror?): 300, allowed 20" in text_of_plan(
        doubtful
    )
    assert "首次载入前企业微信中已有的成员（新镜像，还是镜像丢失？）：300，允许 20" in text_of_plan(
        doubtful, "zh"
    )


def test_what_wecom_does_not_allow_nobody_is_asked_to_approve(small_plan: Plan) -> None:
    """No command is shown, and the reason why."""
    limit = Limit(name="month_creations", count=10, allowed=9, is_absolute=True)
    text = text_of_plan(replace(small_plan, limits=(limit,)))
    assert "members created within 30 days, with this plan: 10, allowed 9" in text
    assert "no approval lifts that" in text
    assert "--approve" not in text


def test_rejected_rows_and_incomplete_reads_are_told(plan: Plan) -> None:
    """Every rejected row has key, field, problem and rule; an incomplete read is named."""
    text = text_of_plan(plan)
    assert "  member E0099, mobile: mobile is not a phone number [phone_number]\n" in text
    assert "    hr.tags: it was not read to its end\n" in text
    assert "! hr.members has rows without a readable key" in text
    assert "    Filter such rows out in the query, for example WHERE emp_no IS NOT NULL.\n" in text


def test_an_empty_plan_says_that_nothing_is_to_do(small_plan: Plan) -> None:
    """Without a change there is a plain word that all is well."""
    text = text_of_plan(replace(small_plan, changes=(), foreign={}))
    assert "= Nothing to do: WeCom is as the sources want it.\n" in text
    assert "Plan: 0 to create, 0 to update, 0 to disable, 0 to delete; 0 kept\n" in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_columns_align_by_width(plan: Plan, language: str) -> None:
    """The numbers of the summary stand under each other although Chinese is twice as wide."""
    titles = {"zh": ("部门", "成员", "标签"), "en": ("Departments", "Members", "Tags")}[language]
    lines = text_of_plan(plan, language).splitlines()
    rows = [line for line in lines if line.startswith(tuple(f" {title} " for title in titles))]
    assert [row.split()[0] for row in rows] == list(titles)
    assert len({_width(row) for row in rows}) == 1


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def test_a_terminal_gets_colour_and_wrapping(plan: Plan) -> None:
    """On a terminal long lines wrap under their indent; elsewhere a line stays whole and plain."""
    console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system="standard")
    print_plan(plan, console, language="en", show_personal=False)
    assert "\x1b[32m" in _written(console)
    plain = text_of_plan(plan, width=60)
    assert "\x1b" not in plain
    assert any("E0101" in line and "gender female" in line for line in plain.splitlines())


def test_chinese_reports_hold_no_english_sentence(plan: Plan, run: Run) -> None:
    """In a Chinese report only codes, keys and commands are Latin."""
    text = text_of_plan(plan, "zh") + text_of_run(run, "zh")
    for english in ("source", "Over", "kept", "differs", "department", "tried", "Nothing", "plan:"):
        assert english not in text.replace("adopt_departments", "")


def test_a_run_tells_failures_first(run: Run) -> None:
    """Failed outcomes come first, with errcode and hint in words, then unknown and skipped ones."""
    text = text_of_run(run)
    order = [text.index(head) for head in ("failed (2)", "fate unknown (1)", "skipped (1)", "Outcomes")]
    assert order == sorted(order)
    assert (
        "  + E0100 陈丽, create — errcode 60104, tried 3 times: "
        "another member has this phone number: see who, and correct one of the two\n"
    ) in text
    assert "done 47, failed 2, skipped 1, fate unknown 1" in text


def test_a_run_says_what_to_do_next(run: Run) -> None:
    """Every state of a run ends with what to do, and the command for it."""
    assert "Mend what the hints name, then run it again" in text_of_run(run)
    assert "wxsync apply acme\n" in text_of_run(run)
    refused = text_of_run(replace(run, state=RunState.REFUSED, outcomes=()))
    assert f"wxsync apply acme --approve {run.plan.digest}\n" in refused
    clean = replace(run, plan=replace(run.plan, rejected=()), outcomes=run.outcomes[3:7])
    assert "= All done; the next plan should be empty.\n" in text_of_run(clean)
    for state in RunState:
        assert "What to do next" in text_of_run(replace(run, state=state, outcomes=()))


def test_keys_and_userids_that_are_phone_numbers_are_masked(small_plan: Plan) -> None:
    """Some companies make them of such values: they are personal wherever they stand."""
    first = small_plan.changes[0]
    why = say("its userid belongs to {key}", key="13800001234")
    change = replace(first, kind=Kind.MEMBER, key="13800005678", id="lin@example.com", why=why)
    plan = replace(small_plan, changes=(change,))

    masked, full = text_of_plan(plan), text_of_plan(plan, show_personal=True)

    assert "13800005678" in full
    assert not any(each in masked for each in ("13800005678", "13800001234", "lin@example.com"))


def test_lists_of_keys_in_notices_are_masked(small_plan: Plan) -> None:
    """Of later sources, of canaries, of second looks: wherever several stand in one sentence."""
    keys = ("13800005671", "13800005672")
    problem = say("{canaries} of canaries was not in it", canaries=", ".join(keys))
    reading = ReadingProof(source="hr", query="members", rows=9, is_complete=False, problem=problem)
    aside = Aside(source="ad", query="members", column=None, keys=keys)
    plan = replace(small_plan, is_complete=False, readings=(reading,), asides=(aside,))

    masked, full = text_of_plan(plan), text_of_plan(plan, show_personal=True)

    assert full.count("13800005671, 13800005672") == 2
    assert masked.count("138****5671, 138****5672") == 2
    assert not any(each in masked for each in keys)
