"""`wxsync plan --source-only`: what the sources gave, how it is mapped, and that nobody else is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.stage import Stage, mobile
from tests.sources.exports import csv_text, put


def test_it_asks_neither_wecom_nor_the_mirror(stage: Stage) -> None:
    """Not one call, no token, and no file of the mirror."""
    stage.ok("plan", "--source-only")
    assert stage.wecom.log == []
    assert not stage.mirror_file.exists()


def test_every_query_with_its_columns_and_ten_people_as_mapped(stage: Stage) -> None:
    """Masked, unless it is said otherwise."""
    lines = stage.ok("plan", "--source-only", "--language", "en").out.splitlines()
    assert lines[0].startswith("Sources of acme  2")
    text = "\n".join(lines[1:])
    assert text.startswith(
        "\nhr.departments  3 rows\n"
        "  columns: code, parent_code (1 of 3), name\n"
        "\nhr.members  12 rows\n"
        "  columns: emp_no, full_name, dept_code, mobile, title, status\n"
        "\nhr.tags  1 rows\n"
        "  columns: tag, emp_no\n"
        "  by tag\n"
        "          1  导师\n"
        "\nWhat the mapping makes of it\n"
        "  departments: 3, members: 12, leavers: 0, tags: 1, rejected: 0\n"
        "\nDepartments: 3 of 3\n"
        "  D1  name 研发部 · parent WeCom id 1\n"
        "  D2  name 平台组 · parent D1 研发部\n"
    )
    people = text[text.index("Members: 10 of 12\n") :].splitlines()[1:]
    assert len(people) == 10
    assert people[0].startswith("  E001 (e001)  name 林1 · mobile 138****0001 · departments D2 平台组")
    shown = stage.ok("plan", "--source-only", "--show-personal").out
    assert mobile(1) in shown


def test_every_reject_and_why_a_reading_is_not_complete(stage: Stage) -> None:
    """Rejects by key, field and rule; leavers are counted."""
    stage.sql(
        "UPDATE employees SET mobile = 'none' WHERE emp_no = 'E002'",
        "UPDATE employees SET dept_code = 'D9' WHERE emp_no = 'E003'",
        "UPDATE employees SET status = 'left' WHERE emp_no = 'E004'",
    )
    stage.configure(("SELECT * FROM employees", "SELECT * FROM employees WHERE (random() & 1) = 0 OR 1"))
    text = stage.ok("plan", "--source-only", "--language", "en").out
    assert "departments: 3, members: 9, leavers: 1, tags: 1, rejected: 2\n" in text
    assert "Rejected 2\n" in text
    assert "  member E002, mobile: mobile is not a phone number [phone_number]\n" in text
    assert "  member E003, departments: " in text


def test_as_json_it_is_one_document_with_full_values(stage: Stage) -> None:
    """wxsync-source/1."""
    stage.sql("UPDATE employees SET title = ' ' WHERE emp_no = 'E002'")
    columns = ["emp_no", "full_name", "dept_code", "mobile", "title", "status"]
    document = stage.ok("plan", "--source-only", "--format", "json").json
    assert document["format"] == "wxsync-source/1"
    assert document["complete"] is True
    assert document["queries"][1] == {
        "source": "hr",
        "query": "members",
        "rows": 12,
        "complete": True,
        "problem": None,
        "entries": 12,
        "columns": columns,
        "filled": [{"name": name, "rows": 11 if name == "title" else 12} for name in columns],
        "counts": [],
    }
    assert document["queries"][2]["counts"] == [{"by": "tag", "name": "导师", "count": 1}]
    assert not {"unmatched", "conflicts", "left_out"} & document.keys()
    assert document["gives"] == {"departments": 3, "members": 12, "leavers": 0, "tags": 1, "rejected": 0}
    assert document["members"][0] == {
        "key": "E001",
        "userid": "e001",
        "name": "林1",
        "mobile": mobile(1),
        "departments": ["D2"],
        "main_department": "D2",
        "position": "工程师",
    }
    assert len(document["members"]) == 10
    assert document["rejected"] == []


def test_how_many_rows_have_a_value(stage: Stage) -> None:
    """Behind the columns that some rows have empty, in both languages; nulls and blanks are none."""
    stage.sql(
        "UPDATE employees SET title = NULL WHERE emp_no IN ('E001', 'E002')",
        "UPDATE employees SET title = '  ' WHERE emp_no = 'E003'",
        "UPDATE employees SET mobile = NULL",
        "INSERT INTO employee_tags SELECT '早班', emp_no FROM employees WHERE emp_no < 'E004'",
        "INSERT INTO employee_tags SELECT 'T' || emp_no, emp_no FROM employees",
        "INSERT INTO employee_tags SELECT 'U' || emp_no, emp_no FROM employees",
    )
    text = stage.ok("plan", "--source-only", "--language", "en").out
    line = "  columns: emp_no, full_name, dept_code, mobile (0 of 12), title (9 of 12), status\n"
    assert line in text
    assert "  by tag\n          3  早班\n          1  TE001\n" in text
    assert text.count("\n          1  ") == 19, "twenty with the largest"
    assert "\n          6  in 6 more\n" in text
    text = stage.ok("plan", "--source-only", "--language", "zh").out
    assert "  列：emp_no, full_name, dept_code, mobile (12 中的 0 个), title (12 中的 9 个), status\n" in text
    assert "  按标签\n          3  早班\n" in text
    assert "\n          6  分布在另外 6 处\n" in text
    short = stage.ok("check").out
    assert "\n           by tag\n                   3  早班\n                   1  TE001\n" in short
    assert "\n                  21  in 21 more\n" in short


def test_a_report_of_it_may_go_to_a_file(stage: Stage) -> None:
    """Readable by its owner only."""
    printed = stage.ok("plan", "--source-only", "--output", "report.txt")
    assert printed.out == ""
    file = stage.home / "report.txt"
    assert "hr.members" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("more", [("--exit-code",), ("--adopt",), ("--only-person", "E001")])
def test_options_of_a_plan_are_wrong_usage(stage: Stage, more: tuple[str, ...]) -> None:
    """There is no plan that they could be about."""
    assert stage.run("plan", "--source-only", *more).says("--source-only makes no plan").code == 2


def test_html_is_wrong_usage(stage: Stage) -> None:
    """Text or JSON."""
    assert stage.run("plan", "--source-only", "--format", "html").says("text or json").code == 2


def test_a_source_that_cannot_be_read_is_exit_code_1(stage: Stage) -> None:
    """In the words of every other command; as JSON too."""
    (stage.home / "hr.db").unlink()
    assert stage.run("plan", "--source-only").says("there is no database file").code == 1
    printed = stage.run("plan", "--source-only", "--format", "json")
    assert (printed.code, printed.json["code"]) == (1, "source_unavailable")


def test_check_tells_the_same_of_the_source(stage: Stage) -> None:
    """Columns, people as mapped, masked; and each reject as a note."""
    stage.sql("UPDATE employees SET mobile = 'none' WHERE emp_no = 'E002'")
    text = stage.ok("check").out
    assert "ok       sync acme: the source gives 11 people, 3 departments, 1 tag; 1 rejected\n" in text
    assert "         hr.members  12 rows\n" in text
    assert "           columns: emp_no, full_name, dept_code, mobile, title, status\n" in text
    assert "         people as they are mapped, 10 of 11:\n" in text
    assert "E001 (e001)  name 林1 · mobile 138****0001" in text
    assert "note     sync acme: rejected: member E002, mobile: mobile is not a phone number" in text


def test_a_file_source_is_shown_too(stage: Stage, tmp_path: Path) -> None:
    """With what was torn."""
    people = [("emp_no", "full_name", "dept_code", "mobile", "title", "status")]
    people += [(f"E{n}", f"林{n}", "D1", f"1380000{n:04}", "工程师", "active") for n in range(3)]
    put(stage.home / "people.csv", csv_text(people) + "E9,王\n", "gb18030")
    put(stage.home / "departments.csv", csv_text([("code", "parent_code", "name"), ("D1", "", "研发部")]))
    config = stage.config.read_text(encoding="utf-8")
    start, end = config.index("[source.hr]"), config.index("[sync.acme]")
    files = '[source.hr]\ntype = "file"\ndepartments = "departments.csv"\nmembers = "people.csv"\n\n'
    stage.config.write_text(config[:start] + files + config[end:], encoding="utf-8")
    text = stage.ok("plan", "--source-only", "--language", "en").out
    assert (
        "hr.members  3 rows; not proven complete: torn rows that were left out: 1; line 5 of people.csv has 2"
        " fields, and the header has 6\n"
    ) in text
    assert "torn" in stage.ok("plan", "--source-only", "--format", "json").json["queries"][1]["problem"]
