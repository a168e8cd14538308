"""`wxsync rekey` on the command line."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest

from tests.cli.stage import Stage
from wxsync.mirror import lease
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store

SAME_USERID = ('userid = "emp_no | lower"', """userid = "emp_no | replace('N', 'E') | lower\"""")
RENUMBER = (
    "UPDATE employees SET emp_no = replace(emp_no, 'E', 'N')",
    "UPDATE employee_tags SET emp_no = replace(emp_no, 'E', 'N')",
)
MOVE = (
    "UPDATE departments SET code = 'X' || code, parent_code = 'X' || parent_code",
    "UPDATE employees SET dept_code = 'X' || dept_code",
)


@pytest.fixture
def renumbered(applied: Stage) -> Stage:
    """Twelve people and three departments with other keys than before."""
    applied.configure(SAME_USERID)
    applied.sql(*RENUMBER, *MOVE)
    return applied


def test_without_yes_it_shows_and_changes_nothing(renumbered: Stage) -> None:
    """What would become of whom; the plan is refused as before, and says which command helps."""
    refused = renumbered.run("apply", "--yes")
    assert refused.code == 4
    refused.says("changed_keys (new keys for the same people? wxsync rekey): 15, allowed 5")
    printed = renumbered.ok("rekey", "--by", "userid")
    assert "3 departments with other keys\n  D1 -> XD1 (department " in printed.out
    assert "12 members with other keys\n  E001 -> N001 (e001)\n" in printed.out
    assert printed.out.endswith("Nothing was changed. To do it, say the same with --yes.\n")
    assert renumbered.run("apply", "--yes").code == 4


def test_with_yes_it_does_it_and_writes_nothing_to_wecom(renumbered: Stage) -> None:
    """The next plan has nothing to do, and saying it again does nothing."""
    assert renumbered.writes_by("rekey", "acme", "--by", "userid", "--yes") == []
    assert renumbered.writes_by("apply", "--yes") == []
    again = renumbered.ok("rekey", "--by", "userid", "--yes")
    assert again.out == (
        "0 departments with other keys\n0 members with other keys\n"
        "Nothing to do: no key of ours has become another one.\n"
    )


@pytest.mark.parametrize("ending", ["csv", "txt"])
def test_a_list_says_who_is_who(renumbered: Stage, ending: str) -> None:
    """Also where nothing else tells; departments of the same name and place need not be in it."""
    renumbered.configure(('userid = "emp_no | lower"', 'userid = "mobile"'))
    pairs = "\n".join(f"E{number:03},N{number:03}" for number in range(1, 12))
    (renumbered.home / f"keys.{ending}").write_text(f"Old,New\n{pairs}", "utf-8")
    printed = renumbered.ok("rekey", "--by", f"keys.{ending}", "--all", "--yes")
    assert printed.out.count(" -> ") == 3 + 11
    assert "1 member of ours is in no source after that, and leave by the next plan:\n  E012\n" in printed.out


def test_a_list_that_is_ambiguous_is_refused(renumbered: Stage) -> None:
    """Exit code 4, and nothing is changed."""
    (renumbered.home / "keys.csv").write_text("old,new\nE001,N001\nE002,N001\n", "utf-8")
    printed = renumbered.run("rekey", "--by", "keys.csv", "--yes")
    assert printed.code == 4
    printed.says("nothing was changed", "the new key N001 of a member has 2 old ones")
    assert "12 members with other keys" in renumbered.ok("rekey", "--by", "userid").out


def test_a_list_that_cannot_be_read_is_an_error(applied: Stage) -> None:
    """With what it lacks, before anything else is looked at."""
    for name, text, said in (
        ("missing.csv", None, "missing.csv cannot be read"),
        ("keys.pdf", "x", "must end in"),
        ("keys.csv", "a,b\n1,2\n", "lacks a column"),
        ("keys.csv", "old,new\nE001,\n", "has no pair of keys in its row 1"),
        ("keys.csv", "old,new,kind\nE001,N001,chair\n", "has no pair of keys in its row 1"),
    ):
        if text is not None:
            (applied.home / name).write_text(text, "utf-8")
        printed = applied.run("rekey", "--by", name)
        assert printed.code == 1, printed.out
        printed.says(said)


def test_how_people_are_recognised_has_no_default(applied: Stage) -> None:
    """Wrong usage."""
    assert applied.run("rekey").code == 2


def test_a_run_that_writes_is_in_its_way(renumbered: Stage) -> None:
    """A look takes no lease; doing it does, and waits for nobody."""
    with closing(Store(prepare(f"sqlite:///{renumbered.mirror_file}"))) as store:
        lease.acquire(store, "acme", owner="somebody", ttl=timedelta(seconds=60))
        printed = renumbered.run("rekey", "--by", "userid", "--yes")
        assert printed.code == 1
        printed.says("somebody")
        assert "12 members with other keys" in renumbered.ok("rekey", "--by", "userid").out
