"""A source that is down, wrong or suddenly different: nobody in WeCom is touched, and it is said why."""

from __future__ import annotations

import pytest

from tests.cli.stage import TABLES, Stage
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer

MEMBERS = "SELECT * FROM employees"


def refused(stage: Stage, *words: str) -> None:
    """apply and check end with 1, say the words, and nothing is written."""
    log = len(stage.wecom.log)
    printed = stage.run("apply", "--yes")
    assert (printed.code, printed.out) == (1, "")
    printed.says("Error: ", *words, "Hint: ")
    checked = stage.run("check")
    assert checked.code == 1
    fault = checked.out[checked.out.index("FAULT ") :]
    assert all(word in fault for word in words), fault
    assert not [call for call in stage.wecom.log[log:] if call.is_write]


def test_no_database_file(applied: Stage) -> None:
    """The full path is named; no empty database is made in its place."""
    applied.configure(("sqlite:///hr.db", "sqlite:///gone.db"))
    refused(applied, f"source hr: there is no database file {applied.home}/gone.db", "source.hr.url")
    assert not (applied.home / "gone.db").exists()


def test_a_server_that_is_down(applied: Stage) -> None:
    """Host, port and the system's reason are named, the password is not."""
    applied.secrets.append("hr-password-5d1c")
    url = f"postgresql+psycopg://reader:hr-password-5d1c@127.0.0.1:{free_port()}/hr"
    applied.configure(("sqlite:///hr.db", url))
    refused(applied, "source hr: cannot connect", "127.0.0.1", "Connection refused", "the server runs")


def test_a_server_that_refuses_the_password(applied: Stage, postgres_server: PostgresServer) -> None:
    """It is told apart from one that is down."""
    url = postgres_server.url("postgres")
    applied.secrets.append(postgres_server.password)
    wrong = url.replace(f":{postgres_server.password}@", ":not-the-password@")
    applied.secrets.append("not-the-password")
    applied.configure(("sqlite:///hr.db", wrong))
    refused(applied, "source hr: cannot connect", "password authentication failed", "url and password")


def test_a_table_that_somebody_keeps_locked(
    stage: Stage, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """It is an error after a while, not a run that waits for ever."""
    database = postgres_url.rpartition("/")[2]
    stage.secrets.append(postgres_server.password)
    stage.configure(("sqlite:///hr.db", f"{postgres_url}?options=-c%20lock_timeout%3D300ms"))
    with postgres_server.connect(database) as hr:
        hr.execute(TABLES)
        hr.execute("INSERT INTO departments VALUES ('D1', NULL, '研发部')")
        hr.execute("INSERT INTO employees VALUES ('E001', '林梅', 'D1', '13800000001', '工程师', 'active')")
        stage.ok("apply", "--yes")
        with hr.transaction():
            hr.execute("LOCK TABLE employees IN ACCESS EXCLUSIVE MODE")
            refused(stage, "source hr: the members query broke off", "lock timeout", "run again")
    assert stage.ok("plan", "--exit-code").err == ""


def test_a_wrong_query(applied: Stage) -> None:
    """The query is named by its place in the config; a source is never written to."""
    for wrong, words in (
        ("SELEC * FROM employees", "syntax error"),
        ("SELECT * FROM emploees", "no such table: emploees"),
        ("DELETE FROM employees", "syntax error"),
        ("SELECT *, mobile FROM employees", "gives the column mobile twice"),
    ):
        applied.configure((MEMBERS, wrong))
        printed = applied.run("plan")
        assert printed.code == 1
        printed.says("source hr: the members query", words, "Hint: ", "source.hr.members")
    refused(applied, "source hr: the members query", "source.hr.members")
    applied.configure()
    assert applied.run("plan", "--exit-code").code == 0


def test_a_column_that_vanished(applied: Stage) -> None:
    """It is a config error with the path of the expression, and names what the query gives."""
    applied.sql("ALTER TABLE employees RENAME COLUMN mobile TO phone")
    refused(
        applied,
        'sync.acme.member.mobile: the members query of source hr gives no column "mobile".',
        "It gives emp_no, full_name, dept_code, phone, title, status",
        "correct the mapping, or the query",
    )


@pytest.mark.parametrize(
    ("table", "query", "before"), [("employees", "members", 12), ("departments", "departments", 3)]
)
def test_no_rows_at_all(applied: Stage, table: str, query: str, before: int) -> None:
    """A source that suddenly has nobody is broken: the run ends there, and the next one is as before."""
    applied.sql(f"CREATE TABLE kept AS SELECT * FROM {table}", f"DELETE FROM {table}")
    refused(
        applied,
        f"source hr: the {query} query gives no rows, and there were {before} before",
        "nothing was changed",
    )
    assert len(applied.active_userids) == 12
    applied.sql(f"INSERT INTO {table} SELECT * FROM kept")
    assert applied.run("plan", "--exit-code").code == 0


def test_a_second_source_without_rows(applied: Stage) -> None:
    """One that never gave any stops nothing; once some were applied, none at all is a fault."""
    applied.sql("CREATE TABLE mails (emp_no TEXT, mail TEXT)")
    mails = 'type = "sql"\nurl = "sqlite:///hr.db"\nmembers = "SELECT * FROM mails"\n'
    applied.configure(
        ('sources = ["hr"]', 'sources = ["hr", "mails"]'),
        ('mobile = "mobile"', 'mobile = "mobile"\nemail = "mail"'),
        add=f"\n[source.mails]\n{mails}",
    )
    assert applied.run("plan", "--exit-code").code == 0
    applied.ok("check")
    applied.sql("INSERT INTO mails SELECT emp_no, lower(emp_no) || '@example.com' FROM employees")
    applied.ok("apply", "--yes")
    applied.sql("DELETE FROM mails")
    refused(applied, "source mails: the members query gives no rows, and there were 12 before")


def test_half_of_the_rows(applied: Stage) -> None:
    """The plan is printed, source_shrink is named with its numbers, and nothing is written: exit 4."""
    applied.sql("DELETE FROM employees WHERE CAST(substr(emp_no, 2) AS INTEGER) % 2")
    assert applied.writes_by("apply", "--yes", code=4) == []
    printed = applied.printed[-1][1]
    assert "disable (6) — no longer in the source" in printed.out
    assert "rows fewer than in the last applied read (hr.members): 6, allowed 5" in printed.out
    printed.says("Refused: ", "nothing was written", "source_shrink (hr.members): 6, allowed 5", "--approve ")
    assert applied.run("plan").code == 0
    assert applied.writes_by("apply", "--yes", code=4) == []  # neither a plan nor a refusal is a baseline
    assert len(applied.active_userids) == 12


def test_a_status_that_is_null_for_everybody(applied: Stage) -> None:
    """All are rejected with rule null, none is a leaver: exit 5, and nobody is touched."""
    applied.sql("UPDATE employees SET status = NULL")
    assert applied.writes_by("apply", "--yes", code=5) == []
    out = applied.printed[-1][1].out
    assert "member E001, active: a column that active names is null" in out
    assert out.count("[null]") == 12
    assert "12 rejected: mend them in the source." in out
    assert "Nothing to do" not in out
    rejected = applied.run("plan", "--format", "json").json["rejected"]
    assert {(row["field"], row["rule"]) for row in rejected} == {("active", "null")}
    assert applied.run("plan", "--exit-code").code == 0  # rejects and keeps alone are no change
    assert len(applied.active_userids) == 12


def test_a_canary_that_is_not_there(applied: Stage) -> None:
    """The reading is not whole: what adds is done, nobody is removed, and the exit code is 5."""
    applied.configure(('tags = "SELECT', 'canaries = ["E001", "E999"]\ntags = "SELECT'))
    applied.sql("DELETE FROM employees WHERE emp_no = 'E002'")
    applied.sql("UPDATE employees SET title = '经理' WHERE emp_no = 'E003'")
    assert applied.writes_by("apply", "--yes", code=5) == ["user/update"]
    assert "hr.members: E999 of canaries was not in it" in applied.printed[-1][1].out
    assert applied.writes_by("apply", "--yes", code=5) == []
    assert applied.run("plan").code == 0
    assert len(applied.active_userids) == 12
    applied.configure(('tags = "SELECT', 'canaries = ["E001"]\ntags = "SELECT'))
    assert applied.writes_by("apply", "--yes") == ["user/update"]
    assert len(applied.active_userids) == 11
