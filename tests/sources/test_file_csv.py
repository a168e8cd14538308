"""CSV files as a source."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.sources.exports import (
    PEOPLE,
    csv_text,
    file_source,
    names_of,
    put,
    read_members,
    rows_of,
    settle,
)
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.file_csv import LONGEST
from wxsync.sources.file_snapshot import SETTLED_SECONDS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "花名册.csv"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_programs_write_is_read(file: Path, separator: str, encoding: str, end: str) -> None:
    """UTF-8 with or without a mark, GB18030; commas, semicolons, tabs; all line ends; proven by a count."""
    put(file, csv_text(PEOPLE, separator, end), encoding)
    rows, proof = read_members(file_source(file))
    assert rows == rows_of(PEOPLE)
    assert (proof.source, proof.query, proof.rows, proof.is_complete) == ("hr", "members", 3, True)
    assert proof.is_file


def test_quotes_hold_separators_line_breaks_and_quotes(file: Path) -> None:
    """As RFC 4180 has them; they count as one row each."""
    put(file, 'emp_no,full_name,"a ""note""\nof two lines"\n1,"林, 梅","第一行\n\n第二行"\n2,"a ""b""",""\n')
    rows, proof = read_members(file_source(file))
    assert rows == [
        {"emp_no": "1", "full_name": "林, 梅", 'a "note"\nof two lines': "第一行\n\n第二行"},
        {"emp_no": "2", "full_name": 'a "b"', 'a "note"\nof two lines': None},
    ]
    assert proof.is_complete


def test_an_empty_field_is_null(file: Path) -> None:
    """So an empty status makes nobody a leaver; lines with nothing in them are no rows."""
    put(file, 'emp_no,status\n1,active\n2,\n3,"  "\n\n,\n" ",\n4,active\n')
    rows, proof = read_members(file_source(file))
    assert [row["status"] for row in rows] == ["active", None, None, "active"]
    assert (proof.rows, proof.is_complete) == (4, True)


def test_columns_at_the_end_without_name_and_value_are_none(file: Path) -> None:
    """A spreadsheet program leaves them behind."""
    put(file, "emp_no,full_name,,\n1,林梅,,\n2,曹雪,,\n")
    rows, proof = read_members(file_source(file))
    assert rows == [{"emp_no": "1", "full_name": "林梅"}, {"emp_no": "2", "full_name": "曹雪"}]
    assert proof.is_complete


def test_one_column_is_a_table_too(file: Path) -> None:
    """Without any separator."""
    put(file, "emp_no\n1\n2\n")
    assert [row["emp_no"] for row in read_members(file_source(file))[0]] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("emp_no,name,emp_no\n1,a,b\n", 'names two columns "emp_no": 1 and 3'),
        ("emp_no, emp_no \n1,a\n", 'names two columns "emp_no": 1 and 2'),
        ("emp_no,,name\n1,a,b\n", "has no name above column 2"),
        (",,\n1,a,b\n", "has no header"),
        ("", "has no header"),
        ("emp_no,name\n1,a,surplus\n", "has more values in line 2 than columns in its header: 3 and 2"),
        ('emp_no,name\n1,"a\n2,b\n', "is broken in line 3: unexpected end of data"),
        ('emp_no,name\n1,"a"b\n', "is broken in line 2"),
        ("emp_no,name;x\n1,a\n", "has as many commas and semicolons in its header"),
        ("emp_no,name\n1,a\0\n", "holds a NUL byte at 15"),
    ],
)
def test_what_is_no_table_is_refused(file: Path, text: str, told: str) -> None:
    """With the place, and what to do; nothing is guessed."""
    put(file, text)
    with pytest.raises(SourceError) as caught:
        read_members(file_source(file))
    assert caught.value.message.startswith(f"source hr: 花名册.csv (members) {told}")
    assert caught.value.hint


def test_a_torn_row_is_left_out_and_the_reading_is_not_complete(file: Path) -> None:
    """The rows before and behind it are used, and nobody is taken for absent."""
    put(file, csv_text(PEOPLE) + "0004,张\n0005,王芳,D1\n00")
    rows, proof = read_members(file_source(file))
    assert names_of(rows) == ["林梅", "欧阳建国", "曹雪", "王芳"]
    assert not proof.is_complete
    assert str(proof.problem) == (
        "torn rows that were left out: 2; line 5 of 花名册.csv has 2 fields, and the header has 3"
    )


def test_a_last_row_without_a_line_break_may_be_torn(file: Path) -> None:
    """Its last value may be a part of one: it is left out, and nobody is taken for absent."""
    put(file, csv_text(PEOPLE).removesuffix("\n"))
    rows, proof = read_members(file_source(file))
    assert names_of(rows) == ["林梅", "欧阳建国"]
    assert not proof.is_complete
    assert str(proof.problem) == (
        "花名册.csv ends without a line break: its last row may be torn, and was left out"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_cut_of_a_file_is_noticed_but_those_right_behind_a_row(file: Path, end: str) -> None:
    """At each of its bytes: an error, or not complete, and no row that is not whole."""
    content = csv_text([*PEOPLE, ("0004", '"何\n洋"', "D2")], end=end).encode()
    people = [*rows_of(PEOPLE), {"emp_no": "0004", "full_name": "何\n洋", "dept": "D2"}]
    seen: set[object] = set()
    for size in range(len(content)):
        put(file, content[:size])
        try:
            rows, proof = read_members(file_source(file))
        except SourceError:
            seen.add("refused")
            continue
        assert rows == people[: len(rows)]
        assert proof.is_complete is (content[size - 1 : size] in (b"\n", b"\r"))
        seen.add(proof.is_complete)
    assert seen == {"refused", True, False}


def test_quotation_marks_within_values_hide_nothing(file: Path) -> None:
    """A screen of 5" is no beginning of a quotation; each line is a row, and the count says the same."""
    put(file, 'emp_no,full_name\n1,5" screen\n2,"6"" screen"\n3,a"b"\n4,e\n')
    rows, proof = read_members(file_source(file))
    assert names_of(rows) == ['5" screen', '6" screen', 'a"b"', "e"]
    assert (proof.is_complete, proof.problem) == (True, None)


WIDE = "emp_no,full_name,dept,mail,note\n"


def wide_rows(notes: dict[int, str], count: int = 6) -> str:
    return WIDE + "".join(f"{n},员工{n},D1,e{n}@x.com,{notes.get(n, 'r')}\n" for n in range(count))


@pytest.mark.parametrize(
    ("text", "left", "lines"),
    [
        (wide_rows({2: '"big', 4: '15"'}), ["员工0", "员工1", "员工5"], (4, 6)),
        (wide_rows({2: '"big', 3: '15"'}), ["员工0", "员工1", "员工4", "员工5"], (4, 5)),
        (wide_rows({0: '"big', 5: '15"'}), [], (2, 7)),
        (WIDE + '1,"林梅,D1,,\n2,曹雪",,,\n3,何洋,D1,,\n', ["何洋"], (2, 3)),
        (WIDE + '"1,林梅,D1,,\n2",曹雪,D1,,\n3,何洋,D1,,\n', ["何洋"], (2, 3)),
        ("sep=,\n" + wide_rows({2: '"big', 4: '15"'}), ["员工0", "员工1", "员工5"], (5, 7)),
    ],
)
def test_stray_quotation_marks_that_take_in_rows_are_noticed(
    file: Path, text: str, left: list[str], lines: tuple[int, int]
) -> None:
    """Two of them make one value of all the rows between: those people would be absent."""
    put(file, text)
    rows, proof = read_members(file_source(file))
    assert names_of(rows) == left
    assert not proof.is_complete
    assert str(proof.problem) == (
        f"花名册.csv has a value in quotes that goes on from line {lines[0]} to line {lines[1]} and holds"
        " what looks like whole rows: it was left out; a quotation mark is missing there, or one too many"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_values_of_several_lines_are_no_rows(file: Path, end: str) -> None:
    """With fewer separators in each line than a row has; also in the first column, and of blank lines."""
    address = end.join(["三里屯路 1 号, 2 楼", "", "北京, 朝阳, 100027"])
    put(file, end.join([WIDE.strip(), f'1,林梅,D1,a@x.com,"{address}"', f'"{end}2{end}",曹雪,D1,,', ""]))
    rows, proof = read_members(file_source(file))
    assert [(row["emp_no"], row["note"]) for row in rows] == [("1", address), (f"{end}2{end}", None)]
    assert (proof.rows, proof.is_complete) == (2, True)


def test_one_column_has_no_values_of_several_lines(file: Path) -> None:
    """Each of its lines is a row."""
    put(file, 'emp_no\n"1\n2"\n3\n')
    rows, proof = read_members(file_source(file))
    assert ([row["emp_no"] for row in rows], proof.is_complete) == (["3"], False)


def test_a_count_that_finds_other_rows_makes_it_incomplete(file: Path) -> None:
    """What one way takes for a row and the other for none: nobody is absent on such a reading."""
    put(file, 'emp_no,full_name\n1,a\n",",\n2,b\n')
    rows, proof = read_members(file_source(file))
    assert [row["emp_no"] for row in rows] == ["1", ",", "2"]
    assert str(proof.problem) == "it gave 3 rows, and 2 when it was counted once more"


def test_a_long_value_is_read(file: Path) -> None:
    """Longer than Python's own bound; what is longer than any value is told with where it ends."""
    put(file, csv_text([*PEOPLE, ("0004", "长" * 200_000, "D1")]))
    rows, proof = read_members(file_source(file))
    assert (len(str(rows[3]["full_name"])), proof.is_complete) == (200_000, True)
    put(file, csv_text([*PEOPLE, ("0004", "x" * (LONGEST + 1), "D1")]))
    with pytest.raises(SourceError) as caught:
        read_members(file_source(file))
    assert "has a value of more than 16,777,216 characters that ends behind line" in caught.value.message


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("word", ["sep", "SEP"])
def test_a_first_line_for_excel_tells_the_separator(file: Path, separator: str, word: str) -> None:
    """It is no header; lines are numbered as an editor shows them."""
    put(file, f"{word}={separator}\r\n" + csv_text(PEOPLE, separator) + f"0004{separator}何洋\n")
    rows, proof = read_members(file_source(file))
    assert rows == rows_of(PEOPLE)
    assert str(proof.problem) == (
        "torn rows that were left out: 1; line 6 of 花名册.csv has 2 fields, and the header has 3"
    )


def test_lines_are_told_as_an_editor_numbers_them(file: Path) -> None:
    """Behind a first line for Excel too."""
    put(file, "sep=,\nemp_no,name\n1,a,surplus\n")
    with pytest.raises(SourceError, match="has more values in line 3 than"):
        read_members(file_source(file))
    put(file, 'sep=,\nemp_no,name\n1,"a"b\n')
    with pytest.raises(SourceError, match="is broken in line 3"):
        read_members(file_source(file))


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_an_encoding_that_is_named_is_held(file: Path, encoding: str) -> None:
    """Strictly: a byte that does not fit is an error with its line; so is UTF-8 in the place of GB18030."""
    other, told = {"utf-8": ("gb18030", "is not UTF-8 in line 2"), "gb18030": ("utf-8", "is UTF-8")}[encoding]
    put(file, csv_text(PEOPLE), encoding)
    assert read_members(file_source(file, encoding=encoding))[0] == rows_of(PEOPLE)
    put(file, csv_text(PEOPLE), other)
    with pytest.raises(SourceError, match=told) as caught:
        read_members(file_source(file, encoding=encoding))
    assert "source.hr.encoding" in str(caught.value.hint)


def test_a_file_of_two_encodings_is_refused(file: Path) -> None:
    """However the lines are divided: no name becomes another one."""
    lines = [
        f"{number},{name},D1\n" for number, name in enumerate("林梅 欧阳建国 曹雪 何洋 唐秀 许刚".split())
    ]
    for odd in range(1, 1 << len(lines)):
        content = b"emp_no,full_name,dept\n"
        for number, line in enumerate(lines):
            content += line.encode("gb18030" if odd >> number & 1 else "utf-8")
        put(file, content)
        if odd == (1 << len(lines)) - 1:
            assert names_of(read_members(file_source(file))[0])[1] == "欧阳建国"
        else:
            with pytest.raises(SourceError, match=r"is not (UTF-8|GB18030) in line"):
                read_members(file_source(file))


def test_utf8_that_is_cut_in_a_character_is_not_taken_for_gb18030(file: Path) -> None:
    """Its bytes would make other Chinese names."""
    whole = csv_text(PEOPLE).encode()
    put(file, whole[: whole.index("雪".encode()) + 1])
    with pytest.raises(SourceError, match="is not UTF-8 in line 4"):
        read_members(file_source(file))


def test_utf16_is_told_by_name(file: Path) -> None:
    """It is what Excel calls Unicode text."""
    put(file, csv_text(PEOPLE), "utf-16")
    with pytest.raises(SourceError, match="is UTF-16") as caught:
        read_members(file_source(file))
    assert "CSV UTF-8" in str(caught.value.hint)


def test_a_thousand_names_in_gb18030_are_not_taken_for_utf8(file: Path) -> None:
    """Also where a gender happens to be valid UTF-8 by itself."""
    cells = [("emp_no", "full_name", "gender"), *((n, "Lee", "男女"[n % 2]) for n in range(1000))]
    put(file, csv_text(cells), "gb18030")
    rows, _ = read_members(file_source(file))
    assert {row["gender"] for row in rows} == {"男", "女"}


def test_a_file_that_is_not_there_is_unavailable(file: Path) -> None:
    """It may come yet."""
    with pytest.raises(SourceUnavailableError) as caught:
        read_members(file_source(file))
    assert caught.value.message == "source hr: 花名册.csv (members) is not there"
    assert "source.hr.members" in str(caught.value.hint)
    file.mkdir()
    with pytest.raises(SourceUnavailableError, match="is no plain file"):
        read_members(file_source(file))


def test_a_file_that_was_just_written_is_not_read(file: Path) -> None:
    """It may not be whole; a minute later it is."""
    put(file, csv_text(PEOPLE))
    file.touch()
    with pytest.raises(SourceUnavailableError, match=r"was written \d\.\d seconds ago"):
        read_members(file_source(file))
    assert len(read_members(file_source(settle(file)))[0]) == 3


@pytest.mark.parametrize("is_at_work", [False, True])
def test_a_file_from_the_future_is_looked_at_twice(file: Path, is_at_work: bool) -> None:
    """Where clocks differ by hours its time says nothing: it must be the same two seconds later."""

    def an_hour_ahead() -> None:
        os.utime(file, (time.time() + 3600, time.time() + 3600))

    def goes_on() -> None:
        with file.open("a", encoding="utf-8") as more:
            more.write("0004,何洋,D1\n")
        an_hour_ahead()

    put(file, csv_text(PEOPLE))
    an_hour_ahead()
    writer = threading.Timer(SETTLED_SECONDS / 2, goes_on)
    if is_at_work:
        writer.start()
        with pytest.raises(SourceUnavailableError, match="changed while it was read"):
            read_members(file_source(file))
        writer.join()
    before = time.monotonic()
    rows, proof = read_members(file_source(file))
    assert (len(rows), proof.is_complete) == (4 if is_at_work else 3, True)
    assert time.monotonic() - before >= SETTLED_SECONDS


@pytest.mark.parametrize(
    "companion",
    ["~$花名册.csv", ".~lock.花名册.csv#", "花名册.csv.part", "花名册.csv.filepart", "花名册.csv.tmp"],
)
def test_a_file_that_somebody_is_at_work_on_is_not_read(file: Path, companion: str) -> None:
    """Excel, LibreOffice, uploads and scripts leave a file beside it as long as they are at it."""
    put(file, csv_text(PEOPLE))
    beside = put(file.with_name(companion), b"")
    with pytest.raises(SourceUnavailableError) as caught:
        read_members(file_source(file))
    assert companion in caught.value.message
    beside.unlink()
    assert len(read_members(file_source(file))[0]) == 3


@pytest.mark.parametrize("way", ["written", "replaced", "removed"])
def test_a_file_that_changes_while_it_is_read_is_unavailable(file: Path, way: str) -> None:
    """Whether it is written to, replaced by another one of the same size, or removed."""
    put(file, csv_text(PEOPLE))
    other = put(file.with_name("new.csv"), csv_text(PEOPLE).replace("林", "李"))
    with file_source(file).open() as session:
        stream = session.read("members")
        rows = iter(stream)
        next(rows)
        if way == "written":
            with file.open("a") as more:
                more.write("0009,赵,D1\n")
        elif way == "replaced":
            other.rename(file)
        else:
            file.unlink()
        with pytest.raises(
            SourceUnavailableError, match=r"花名册\.csv \(members\) (changed while|is not there)"
        ):
            list(rows)
        assert not stream.proof.is_complete


def test_a_reading_that_was_broken_off_is_not_complete(file: Path) -> None:
    """Nobody may take it for all."""
    put(file, csv_text(PEOPLE))
    with file_source(file).open() as session:
        stream = session.read("members")
        next(iter(stream))
        assert not stream.proof.is_complete
        assert str(stream.proof.problem) == "it was not read to its end"


def test_which_files_there_are(file: Path) -> None:
    """Memberships and tags may be left out; a source that adds fields needs no departments."""
    put(file, csv_text(PEOPLE))
    with file_source(file, tags=file).open() as session:
        assert [session.has(query) for query in ("departments", "members", "memberships", "tags")] == [
            False,
            True,
            False,
            True,
        ]


@pytest.mark.parametrize(
    ("text", "flag"),
    [("1", True), ("true", True), ("是", True), ("Y", True), ("0", False), ("No", False), ("否", False)],
)
def test_marks_of_memberships_are_flags(file: Path, text: str, flag: bool) -> None:
    """No expression reads them, so what people write for yes and no is understood."""
    put(file, f"emp_no,dept,is_leader,is_main,note\n1,D1,{text},,{text}\n")
    with file_source(file, memberships=file).open() as session:
        (row,) = session.read("memberships")
        (same,) = session.read("members")
    assert dict(row) == {"emp_no": "1", "dept": "D1", "is_leader": flag, "is_main": None, "note": text}
    assert same["is_leader"] == text


CHINESE = (("工号", "姓名", "部门"), ("0001", "林梅", "D1"), ("0002", "欧阳建国", ""))


def test_columns_by_other_names(file: Path) -> None:
    """Both names can be read; a name whose column the file lacks is none; the order stays."""
    put(file, csv_text(CHINESE))
    source = file_source(file, names={"emp_no": "工号", "dept": "部门", "grade": "职级"})
    with source.open() as session:
        stream = session.read("members")
        assert stream.columns == ("工号", "姓名", "部门", "emp_no", "dept")
        rows = list(stream)
    assert rows[1] == {"工号": "0002", "姓名": "欧阳建国", "部门": None, "emp_no": "0002", "dept": None}
    assert stream.proof.is_complete


def test_a_name_that_a_column_has_already(file: Path) -> None:
    """Which of the two is meant nobody can tell."""
    put(file, csv_text((("工号", "emp_no"), ("1", "2"))))
    with (
        file_source(file, names={"emp_no": "工号"}).open() as session,
        pytest.raises(SourceError, match=r'has a column "emp_no", which source\.hr\.names gives to "工号"'),
    ):
        session.read("members")
