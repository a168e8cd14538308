"""Excel workbooks as a source."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.chart import BarChart

from tests.sources.exports import PEOPLE, file_source, put, read_members, rows_of, with_part, workbook
from wxsync.errors import SourceError, SourceUnavailableError

SHEET = r"xl/worksheets/sheet1\.xml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.xlsx"


def test_values_keep_their_types(file: Path) -> None:
    """Dates are dates, whole numbers have no fraction, text stays text, also of a number shown as text."""

    def shown_as_text(book: Workbook) -> None:
        book.worksheets[0]["I2"].number_format = "@"

    header = ["text", "number", "whole", "share", "day", "moment", "clock", "flag", "id", "nothing", "blank"]
    row = [
        "0123",
        7,
        7.0,
        7.5,
        date(2026, 3, 1),
        datetime.fromisoformat("2026-03-01T08:30:00"),
        time(8, 30),
        True,
        42,
        None,
        " ",
    ]
    put(file, workbook(("Sheet1", [header, row]), change=shown_as_text))
    rows, proof = read_members(file_source(file))
    assert list(rows[0].values()) == [
        "0123",
        7,
        7,
        7.5,
        date(2026, 3, 1),
        datetime.fromisoformat("2026-03-01T08:30:00"),
        "08:30:00",
        True,
        "42",
        None,
        None,
    ]
    assert [type(value) for value in rows[0].values()][1:5] == [int, int, float, date]
    assert (proof.rows, proof.is_complete, proof.is_file) == (1, True, True)


def test_a_length_of_time_is_a_text(file: Path) -> None:
    """No field of WeCom's takes one."""
    put(file, workbook(("Sheet1", [["emp_no", "shift"], [1, timedelta(hours=30)]])))
    assert read_members(file_source(file))[0][0]["shift"] == "1 day, 6:00:00"


def test_the_first_visible_sheet_or_the_one_that_is_named(file: Path) -> None:
    """A hidden one is never read, be it the first or named."""

    def hide(book: Workbook) -> None:
        book.worksheets[0].sheet_state = "hidden"
        book.worksheets[3].sheet_state = "veryHidden"

    sheets = [(name, [["emp_no"], [name]]) for name in ("old", "花名册", "部门", "secret")]
    put(file, workbook(*sheets, change=hide))
    assert read_members(file_source(file))[0] == [{"emp_no": "花名册"}]
    assert read_members(file_source(f"{file}#花名册"))[0] == [{"emp_no": "花名册"}]
    for name, state in (("old", "is hidden"), ("secret", "is hidden"), ("Sheet1", "is not there")):
        with pytest.raises(SourceError, match=f"cannot give the sheet {name}: it {state}") as caught:
            read_members(file_source(f"{file}#{name}"))
        assert "花名册" in str(caught.value.hint)


def test_a_chart_is_no_sheet(file: Path) -> None:
    """It has a tab of its own."""

    def chart(book: Workbook) -> None:
        book.create_chartsheet("chart", 0).add_chart(BarChart())

    put(file, workbook(("Sheet1", PEOPLE), change=chart))
    assert read_members(file_source(file))[0] == rows_of(PEOPLE)


def as_excel_saves_it(content: bytes, cells: dict[str, str] | None = None) -> bytes:
    """A workbook of openpyxl, which asks Excel to calculate; formulas have these results, as XML."""

    def shown(xml: str) -> str:
        for cell, result in (cells or {}).items():
            formula = re.search(rf'<c r="{cell}"[^>]*>(<f>.*?</f>)<v ?(?:/>|></v>)</c>', xml)
            assert formula
            xml = xml.replace(formula[0], result.replace("<f>=</f>", formula[1]))
        return xml

    asked = with_part(content, r"xl/workbook\.xml", lambda xml: re.sub(r' fullCalcOnLoad="\w+"', "", xml))
    return with_part(asked, SHEET, shown)


FORMULAS: list[list[Any]] = [["emp_no", "sum", "other"], ["1", "=1+1", "=1+2"], ["2", 2, "x"]]


def test_a_formula_gives_the_value_that_was_last_shown(file: Path) -> None:
    """Nothing is calculated here. A formula that gave an empty text is empty, and a row of such is none."""
    blank = '<c r="{0}" t="str"><f>=</f><v></v></c>'
    content = workbook(("Sheet1", [*FORMULAS, ["=A9", "=B9", "=C9"]]))
    shown = {
        "B2": '<c r="B2"><f>=</f><v>2</v></c>',
        "C2": blank.format("C2"),
        **{cell: blank.format(cell) for cell in ("A4", "B4", "C4")},
    }
    put(file, as_excel_saves_it(content, shown))
    rows, proof = read_members(file_source(file))
    assert rows == [{"emp_no": "1", "sum": 2, "other": None}, {"emp_no": "2", "sum": 2, "other": "x"}]
    assert (proof.rows, proof.is_complete) == (2, True)


@pytest.mark.parametrize(
    "result", ['<c r="B2"><f>=</f></c>', '<c r="B2"><f>=</f><v></v></c>', '<c r="B2" t="str"><f>=</f></c>']
)
def test_a_formula_that_nobody_worked_out_is_refused(file: Path, result: str) -> None:
    """Whoever has no department by it would leave the one that they are in."""
    put(
        file,
        as_excel_saves_it(workbook(("花名册", FORMULAS)), {"B2": result, "C2": "<c r='C2'><v>1</v></c>"}),
    )
    with pytest.raises(SourceError, match="has a formula that nothing has worked out in 花名册!B2") as caught:
        read_members(file_source(file))
    assert "open it in Excel and save it" in str(caught.value.hint)


@pytest.mark.parametrize("flag", ["1", "true"])
def test_a_program_that_cannot_calculate_says_so(file: Path, flag: str) -> None:
    """It writes 0 for every result, and asks Excel to calculate. A sheet without formulas is not meant."""

    def asking(xml: str) -> str:
        return re.sub(r' fullCalcOnLoad="\w+"', f' fullCalcOnLoad="{flag}"', xml)

    zeros = {cell: f'<c r="{cell}"><f>=</f><v>0</v></c>' for cell in ("B2", "C2")}
    content = workbook(("Sheet1", FORMULAS), ("other", PEOPLE))
    saved = as_excel_saves_it(content, zeros)
    put(file, saved)
    assert read_members(file_source(file))[0][0] == {"emp_no": "1", "sum": 0, "other": 0}
    put(file, with_part(with_part(content, r"xl/workbook\.xml", asking), SHEET, lambda xml: sheet_of(saved)))
    with pytest.raises(SourceError, match="has a formula that nothing has worked out in Sheet1!B2"):
        read_members(file_source(file))
    assert len(read_members(file_source(f"{file}#other"))[0]) == 3


def sheet_of(content: bytes) -> str:
    """The XML of its first sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()


def test_a_table_that_is_all_formulas_and_no_values_is_refused(file: Path) -> None:
    """Rows without a value are no rows: those in them would be absent."""
    put(file, as_excel_saves_it(workbook(("Sheet1", [*FORMULAS, ["=A9", "=B9", "=C9"]]))))
    with pytest.raises(SourceError, match="has a formula that nothing has worked out in Sheet1!B2"):
        read_members(file_source(file))


def test_a_formula_that_failed_is_refused(file: Path) -> None:
    """#N/A is no status other than "active"."""
    content = workbook(("Sheet1", [["emp_no", "status"], ["1", "active"], ["2", "#N/A"]]))
    put(file, content)
    with pytest.raises(SourceError, match="has a failed formula in Sheet1!B3: #N/A"):
        read_members(file_source(file))


def test_a_wrong_hint_of_the_size_hides_nothing(file: Path) -> None:
    """Many programs write one that is too small."""
    rows = [PEOPLE[0], *((f"{n:04}", "林梅", "D1") for n in range(500))]

    def lie(xml: str) -> str:
        return re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1:A2"', xml)

    put(file, with_part(workbook(("Sheet1", rows)), SHEET, lie))
    found, proof = read_members(file_source(file))
    assert len(found) == proof.rows == 500
    assert found[-1] == {"emp_no": "0499", "full_name": "林梅", "dept": "D1"}
    assert proof.is_complete


def test_rows_and_columns_with_nothing_in_them_are_none(file: Path) -> None:
    """Formats, blanks and gaps are left behind by whoever edits a sheet."""

    def edit(book: Workbook) -> None:
        sheet = book.worksheets[0]
        sheet["F900"].number_format = "@"
        sheet["B7"] = "  "
        sheet["A9"], sheet["B9"], sheet["C9"] = "0009", "何洋", "D1"

    put(file, workbook(("Sheet1", PEOPLE), change=edit))
    rows, proof = read_members(file_source(file))
    assert [row["emp_no"] for row in rows] == ["0001", "0002", "0003", "0009"]
    assert (proof.rows, proof.is_complete) == (4, True)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([["emp_no", "name", "emp_no"], [1, 2, 3]], 'names two columns "emp_no": 1 and 3'),
        ([["emp_no", None, "name"], [1, 2, 3]], "has no name above column 2"),
        ([["emp_no", "name"], [1, 2, 3]], "has more values in row 2 than columns in its header: 3 and 2"),
        ([["公司花名册"], ["emp_no", "name"], [1, 2]], "has more values in row 2 than columns in its header"),
        ([], "has no header"),
    ],
)
def test_what_is_no_table_is_refused(file: Path, cells: Any, told: str) -> None:
    """With the place, and what to do."""
    put(file, workbook(("Sheet1", cells)))
    with pytest.raises(SourceError) as caught:
        read_members(file_source(file))
    assert told in caught.value.message


def test_merged_cells_are_refused(file: Path) -> None:
    """A department that is written once for many people would be empty for all but the first."""

    def merge(book: Workbook) -> None:
        book.worksheets[0].merge_cells("C2:C3")

    put(file, workbook(("Sheet1", PEOPLE), ("other", PEOPLE), change=merge))
    with pytest.raises(SourceError, match="has merged cells in sheet Sheet1: C2:C3"):
        read_members(file_source(file))
    assert len(read_members(file_source(f"{file}#other"))[0]) == 3


def test_every_cut_of_a_workbook_is_noticed(file: Path) -> None:
    """At each of some hundred places."""
    content = workbook(("Sheet1", PEOPLE))
    for size in range(0, len(content), 53):
        put(file, content[:size])
        with pytest.raises(SourceError, match="is no whole workbook"):
            read_members(file_source(file))


def test_a_sheet_that_is_cut_in_a_whole_archive_is_noticed(file: Path) -> None:
    """As by a program that died while it wrote."""

    def cut(xml: str) -> str:
        return xml[: xml.index("</row>", xml.index("</row>") + 6) + 6]

    put(file, with_part(workbook(("Sheet1", PEOPLE)), SHEET, cut))
    with pytest.raises(SourceError, match="is no whole workbook"):
        read_members(file_source(file))


def test_flipped_bytes_are_noticed(file: Path) -> None:
    """Each part has its checksum."""
    content = bytearray(workbook(("Sheet1", [PEOPLE[0], *([PEOPLE[1]] * 900)])))
    place = content.index(b"xl/worksheets/sheet1.xml") + 200
    content[place] ^= 0xFF
    put(file, bytes(content))
    with pytest.raises(SourceError, match="is no whole workbook"):
        read_members(file_source(file))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"emp_no,full_name\n1,a\n", "is no whole workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 512, "is protected by a password, or an old .xls"),
        (b"", "is no whole workbook"),
    ],
)
def test_what_is_no_workbook_is_told(file: Path, content: bytes, told: str) -> None:
    """Also where only its name says that it is one."""
    put(file, content)
    with pytest.raises(SourceError, match=told):
        read_members(file_source(file))


def test_entities_are_not_expanded(file: Path) -> None:
    """A workbook may come by mail."""

    def bomb(xml: str) -> str:
        bombs = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        return re.sub(r"(<\?xml[^>]*\?>)?", lambda found: found[0] + bombs, xml, count=1)

    put(file, with_part(workbook(("Sheet1", PEOPLE)), SHEET, bomb))
    with pytest.raises(SourceError, match="is no whole workbook"):
        read_members(file_source(file))


def test_a_workbook_that_is_open_in_excel_is_not_read(file: Path) -> None:
    """The lock lies beside it."""
    put(file, workbook(("Sheet1", PEOPLE)))
    put(file.with_name("~$people.xlsx"), b"\x08somebody")
    with pytest.raises(SourceUnavailableError) as caught:
        read_members(file_source(file))
    assert "~$people.xlsx lies beside it" in caught.value.message
