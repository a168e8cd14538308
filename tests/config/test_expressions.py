"""Expressions: their own value, null, strict names, the sandbox, and errors that say where."""

from __future__ import annotations

import timeit
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.config.expressions import Expression, ExpressionError, ExpressionFailed

ROW: Mapping[str, object] = {
    "emp_no": "E0042",
    "number": "0123",
    "mobile": "13800000000",
    "grade": 12,
    "share": 0.5,
    "pay": Decimal("10.50"),
    "active": True,
    "hired": date(2026, 1, 31),
    "nothing": None,
    "blank": "",
    "codes": "D1, D2",
    "mails": ["a@example.com", "b@example.com"],
    "msDS-x": "value",
    "工号": "A1",
    "result": "own",
    "range": "a column",
    "all": "everything",
    "photo": b"\x00\xff",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("emp_no", "E0042"),
        ("  emp_no ", "E0042"),
        ("工号", "A1"),
        ("工号 | lower", "a1"),
        ("result", "own"),
        ("result | upper", "OWN"),
        ("range", "a column"),
        ("range ~ ''", "a column"),
        ("all", "everything"),
        ("all | upper", "EVERYTHING"),
        ("emp_no | lower", "e0042"),
        ("number | strip", "0123"),
        ("number ~ ''", "0123"),
        ("'007'", "007"),
        ("'None'", "None"),
        ("'True'", "True"),
        ("7", 7),
        ("grade", 12),
        ("grade + 1", 13),
        ("grade >= 10", True),
        ("grade == '12'", False),
        ("true", True),
        ("none", None),
        ("active", True),
        ("not active", False),
        ("hired", date(2026, 1, 31)),
        ("pay", Decimal("10.50")),
        ("photo", b"\x00\xff"),
        ("[emp_no, number]", ["E0042", "0123"]),
        ("codes | split(',')", ["D1", "D2"]),
        ("codes | split(',') | map('lower')", ["d1", "d2"]),
        ("(codes | split(','))[0]", "D1"),
        ("col('msDS-x')", "value"),
        ("col('msDS-x') | upper", "VALUE"),
        ("col('emp_no') ~ '-' ~ number", "E0042-0123"),
        ("all('mails')", ["a@example.com", "b@example.com"]),
        ("all('emp_no')", ["E0042"]),
        ("all('nothing')", []),
        ("all('mails') | map('upper') | first", "A@EXAMPLE.COM"),
        ("emp_no.startswith('E')", True),
        ("emp_no[1:]", "0042"),
        ("'chief' if grade > 10 else 'member'", "chief"),
        ("'chief' if grade > 20", None),
        ("emp_no | e", "E0042"),
        ("hired.year", 2026),
        ("mails | join(';')", "a@example.com;b@example.com"),
    ],
)
def test_value_is_the_expressions_own(text: str, value: object) -> None:
    """An expression gives the value itself, never text read again as something else."""
    found = Expression(text).evaluate(ROW)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "nothing | lower",
        "nothing | upper | trim",
        "nothing | strip",
        "nothing | e164('CN')",
        "nothing | pinyin",
        "nothing | regex_replace('a', 'b')",
        "nothing | split(',')",
        "nothing | date",
        "nothing | guid",
        "nothing | int",
        "nothing | string",
        "nothing | length",
        "nothing | list",
        "nothing | map('lower')",
        "nothing | replace('a', 'b')",
        "nothing | join(',')",
        "nothing | title",
    ],
)
def test_filters_pass_null_through(text: str) -> None:
    """A null stays a null, in Jinja's own filters too: never the text "None"."""
    assert Expression(text).evaluate(ROW) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nothing | default('x')", "x"),
        ("nothing | d('x')", "x"),
        ("nothing | lower | default('x')", "x"),
        ("blank | default('x')", ""),
        ("blank | default('x', true)", "x"),
        ("emp_no | default('x')", "E0042"),
        ("nothing is none", True),
        ("nothing is not none", False),
    ],
)
def test_default_steps_in_for_null(text: str, value: object) -> None:
    """`default`, `is none` and `is not none` say what a null means, and mark the expression."""
    expression = Expression(text)
    assert expression.evaluate(ROW) == value
    assert expression.null_tolerant


@pytest.mark.parametrize("text", ["emp_no", "emp_no | lower", "nothing == 1", "active == true", "col('x')"])
def test_other_expressions_do_not_tolerate_null(text: str) -> None:
    """Nothing but those three marks an expression as one that deals with null."""
    assert not Expression(text).null_tolerant


@pytest.mark.parametrize(
    ("text", "names", "is_bare"),
    [
        ("emp_no", {"emp_no"}, True),
        ("  工号 ", {"工号"}, True),
        ("col('msDS-x')", {"msDS-x"}, True),
        ("none", set(), False),
        ("True", set(), False),
        ("'text'", set(), False),
        ("7", set(), False),
        ("a | lower", {"a"}, False),
        ("a ~ b if c else d[e]", {"a", "b", "c", "d", "e"}, False),
        ("all('mail')", {"mail"}, False),
        ("all('mail') | first", {"mail"}, False),
        ("col('msDS-x') ~ col('msDS-x') ~ x", {"msDS-x", "x"}, False),
        ("a.b.c", {"a"}, False),
        ("a | replace(b, c)", {"a", "b", "c"}, False),
        ("status == 'active'", {"status"}, False),
        ("[a, {'k': b}]", {"a", "b"}, False),
    ],
)
def test_names_are_known_before_any_row(text: str, names: set[str], is_bare: bool) -> None:
    """An expression says which names it reads, those in col() and all() too."""
    expression = Expression(text)
    assert expression.names == names
    assert expression.is_bare is is_bare


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("emp_no | lwer", 'column 10: there is no filter "lwer". Did you mean "lower"?'),
        ("a |\n  lwer", 'line 2, column 3: there is no filter "lwer". Did you mean "lower"?'),
        ("a is nne", 'column 6: there is no test "nne". Did you mean "none"?'),
        ("a | map('uper')", 'column 9: there is no filter "uper". Did you mean "upper"?'),
        ("a | select('oddd')", 'column 12: there is no test "oddd". Did you mean "odd"?'),
        ("a = 1", 'column 3: unexpected "=". To compare, write "=="'),
        ("a && b", "column 3: unexpected char '&'. Write \"and\""),
        ("!a", "column 1: unexpected char '!'. Write \"not\""),
        ("a b", 'column 3: unexpected "b"'),
        ("a, b", 'column 2: unexpected ","'),
        ("a +", "column 4: unexpected end of the expression"),
        ("(a", "column 3: unexpected end of the expression, expected ')'"),
        ("{{ a }}", "column 1: unexpected braces. Write the expression without {{ and }}"),
        ("a }} b", 'column 3: unexpected "}}"'),
        ("lower(a)", 'column 1: there is no function "lower", but a filter: write "VALUE | lower"'),
        ("1 + cool('a')", 'column 5: there is no function "cool". Did you mean "col"?'),
        ("range(3)", 'column 1: there is no function "range"'),
        ("col(a)", "column 1: col() takes one name in quotes, such as col('mail')"),
        ("all()", "column 1: all() takes one name in quotes, such as all('mail')"),
        ("col('a', 'b')", "column 1: col() takes one name in quotes, such as col('mail')"),
        ("a | random", 'column 5: the filter "random" gives something else every time'),
        ("self | lower", "column 1: \"self\" is a word of Jinja's own. Write col('self')"),
        ("a | e164('china')", "column 5: e164 knows no region 'china': it takes two letters, such as \"CN\""),
        ("a | regex_replace", "column 5: regex_replace needs a pattern and its replacement"),
        ("a | split('')", "column 5: split needs a separator that is not empty"),
    ],
)
def test_faults_are_found_before_any_row_and_say_where(text: str, problem: str) -> None:
    """A text that is no expression is refused with its place and what may have been meant."""
    with pytest.raises(ExpressionError) as caught:
        Expression(text)
    assert str(caught.value) == problem


def test_faulty_pattern_is_found_before_any_row() -> None:
    """A regular expression that is none is refused when the config is read."""
    with pytest.raises(ExpressionError, match="column 5: regex_replace: the pattern is not a regular"):
        Expression("a | regex_replace('(', '')")


@pytest.mark.parametrize("text", ["(" * 5000 + "a" + ")" * 5000, "a" + "+1" * 5000, "-" * 5000 + "a"])
def test_absurd_nesting_is_a_fault_too(text: str) -> None:
    """What is nested beyond measure is refused like any other fault."""
    with pytest.raises(ExpressionError, match="nested too deeply"):
        Expression(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("missing", 'the row has no "missing"'),
        ("missing | lower", 'the row has no "missing"'),
        ("missing | default('x')", 'the row has no "missing"'),
        ("missing is defined", 'the row has no "missing"'),
        ("col('no-such')", 'the row has no "no-such"'),
        ("col('no-such') | lower", "the row has no 'no-such'"),
        ("all('no-such')", "the row has no 'no-such'"),
        ("emp_no.nothing", "str object has no such element or attribute"),
        ("[emp_no.nothing]", "str object has no such element or attribute"),
        ("{'a': 1}[mobile]", "dict object has no such element or attribute"),
        ("nothing >= 10", "'>=' not supported between instances of 'NoneType' and 'int'"),
        ("emp_no >= 10", "'>=' not supported between instances of 'str' and 'int'"),
        ("grade / 0", "division by zero"),
        ("mobile | e164('US')", "e164: the value is not a phone number that can exist"),
        ("emp_no | date", "date: the value is not a date such as 2026-01-31"),
        ("emp_no | guid", "guid: the value is not a GUID"),
    ],
)
def test_failure_over_a_row_says_why(text: str, message: str) -> None:
    """An expression without a value for a row fails with a reason."""
    with pytest.raises(ExpressionFailed) as caught:
        Expression(text).evaluate(ROW)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "text",
    [
        "emp_no.__class__",
        "emp_no.__class__.__mro__",
        "''.__class__.__base__.__subclasses__()",
        "emp_no.startswith.__globals__",
        "emp_no | attr('__class__')",
        "'{0.__class__}'.format(emp_no)",
        "mails.append('x')",
        "mails.clear()",
        "emp_no()",
    ],
)
def test_sandbox_refuses_what_is_not_data(text: str) -> None:
    """An expression reaches neither Python's insides nor changes a row."""
    with pytest.raises((ExpressionFailed, ExpressionError)):
        Expression(text).evaluate(ROW)
    assert ROW["mails"] == ["a@example.com", "b@example.com"]


SECRETIVE = "18612345678"


@pytest.mark.parametrize(
    "text",
    [
        "phone | date",
        "phone | guid",
        "phone | e164('US')",
        "(phone ~ 'x') | e164('US')",
        "{}[phone]",
        "phone[phone]",
        "phone.index('x')",
        "phone + 1",
        "phone | attr(phone)",
        "phone | map(phone)",
        "'%d' % phone",
        "phone | regex_replace('(' ~ phone, '')",
        "phone()",
    ],
)
def test_failure_shows_no_value_of_the_row(text: str) -> None:
    """The reason ends up in reports and logs, so it never quotes what the row holds."""
    with pytest.raises((ExpressionFailed, ExpressionError)) as caught:
        Expression(text).evaluate({"phone": SECRETIVE})
    assert SECRETIVE not in str(caught.value)
    assert caught.value.__cause__ is None


def test_equal_texts_are_compiled_once() -> None:
    """Two expressions of one text are equal and share their compilation."""
    one, two = Expression("emp_no | lower"), Expression("emp_no | lower")
    assert one == two
    assert hash(one) == hash(two)
    assert one._run is two._run


class Many(Mapping[str, object]):
    """A row as a directory has it: a name holds several values, of which the first is read."""

    def __init__(self, values: Mapping[str, list[object]]) -> None:
        self.values_by_name = values

    def __getitem__(self, name: str) -> object:
        return next(iter(self.values_by_name[name]), None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def all_values(self, name: str) -> list[object]:
        return list(self.values_by_name[name])


def test_a_name_of_many_values_gives_the_first_and_all_of_them() -> None:
    """Of several values a bare name is the first; all() gives the list."""
    row = Many({"mail": ["a@example.com", "b@example.com"], "none-at-all": []})
    assert Expression("mail").evaluate(row) == "a@example.com"
    assert Expression("mail | upper").evaluate(row) == "A@EXAMPLE.COM"
    assert Expression("all('mail')").evaluate(row) == ["a@example.com", "b@example.com"]
    assert Expression("all('none-at-all')").evaluate(row) == []
    assert Expression("col('none-at-all') | lower").evaluate(row) is None
    with pytest.raises(ExpressionFailed):
        Expression("all('unknown')").evaluate(row)


class Counting(dict[str, object]):
    """A row that counts how often it is asked."""

    asked = 0

    def __getitem__(self, name: str) -> object:
        self.asked += 1
        return super().__getitem__(name)


@pytest.mark.parametrize("text", ["emp_no", "col('emp_no')"])
def test_a_bare_word_costs_one_look_up(text: str) -> None:
    """A bare word asks the row once, and nothing else happens."""
    row = Counting(emp_no="E1")
    assert Expression(text).evaluate(row) == "E1"
    assert row.asked == 1


def test_evaluation_is_fast_and_does_not_grow_with_the_row() -> None:
    """A filter over a wide row stays far below what a copy of the row would cost."""
    row = {f"c{n}": n for n in range(500)} | {"emp_no": "E0042"}
    expression = Expression("emp_no | lower")
    seconds = min(timeit.repeat(lambda: expression.evaluate(row), number=2000, repeat=5)) / 2000
    assert seconds < 8e-6


@given(st.text() | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False) | st.datetimes())
def test_a_bare_word_and_a_calculated_one_give_the_rows_own_value(
    value: str | float | bool | datetime | None,
) -> None:
    """Whatever the row holds comes back as it is, bare or through Jinja."""
    for text in ("x", "x if true else none", "[x][0]"):
        found = Expression(text).evaluate({"x": value})
        assert found == value
        assert type(found) is type(value)


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_an_error_of_one_kind(text: str) -> None:
    """No text breaks the reader: it compiles, or it is refused."""
    try:
        expression = Expression(text)
    except ExpressionError:
        return
    assert expression.source == text
