"""`wxsync wecom`: any call that reads, from the command line; none that writes."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from tests.cli.stage import Stage, mobile
from wxsync.cli.answers import print_answer
from wxsync.wecom.call_table import READS

APP = '[corp.acme.app]\nagent_id = 1000002\nsecret = "env:APP_SECRET"\n'


@pytest.fixture
def looking(applied: Stage) -> Stage:
    """A company with an app that sees phone numbers beside contact sync."""
    applied.configure(add=APP)
    applied.wecom.legacy_ip = True
    return applied


def app_of(stage: Stage) -> dict[str, str | None]:
    return {"APP_SECRET": stage.wecom.apps[0].secret}


def test_alone_it_lists_all(stage: Stage) -> None:
    """Every call with a line; no config is wanted for that, nor for a call's own help."""
    stage.config.unlink()
    lines = stage.ok("wecom").out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(READS)
    told = stage.ok("wecom", "user/getuserid", "--help").out
    assert "mobile=…" in told
    assert "path/95402" in told
    assert "app or contact" in told
    assert "[default:" in stage.ok("wecom", "-h").out


def test_json_is_one_document_with_full_values(looking: Stage) -> None:
    """In our names; what this secret does not see is unknown and never empty."""
    ended = looking.run(
        "wecom", "user/get", "userid=E001", "--secret", "contact", "--format", "json", env=app_of(looking)
    )
    document = ended.json
    assert (document["format"], document["call"], document["corp"], document["secret"]) == (
        "wxsync-wecom/1",
        "user/get",
        "acme",
        "contact",
    )
    assert document["answer"]["userid"] == "e001"
    assert document["answer"]["mobile"] == mobile(1)
    assert document["answer"]["alias"] is None
    by_app = looking.run("wecom", "user/get", "userid=e001", "--format", "json", env=app_of(looking)).json
    assert by_app["secret"] == "app"
    assert by_app["answer"]["mobile"] == {"unknown": True}
    assert by_app["answer"]["status"] == "not_activated"


def test_text_masks_and_says_what_is_hidden(looking: Stage) -> None:
    """A phone number stays recognisable to who knows it; asked for, it is shown."""
    by_app = looking.run("wecom", "user/get", "userid=e001", env=app_of(looking)).out
    assert "not shown to this secret: mobile, email" in by_app
    masked = looking.run("wecom", "user/get", "userid=e001", "--secret=contact", env=app_of(looking)).out
    assert "138****0001" in masked
    full = looking.run(
        "wecom", "user/get", "userid=e001", "--secret=contact", "--show-personal", env=app_of(looking)
    ).out
    assert mobile(1) in full


def test_a_name_gives_the_terminal_no_orders(applied: Stage) -> None:
    """What is not printable is a "?"."""
    applied.wecom.tags[max(applied.wecom.tags)].name = "导\x1b[31m师\u202e"
    out = applied.ok("wecom", "tag/list").out
    assert "导?[31m师?" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    "answer",
    [
        "导\x1b]0;师\u202e",
        ["导\x1b]0;师\u202e"],
        {"name": "导\x1b]0;师\u202e"},
        {"extattr": {"导\x1b]0;师\u202e": "x"}},
        [{"name": "导\x1b]0;师\u202e"}],
    ],
)
def test_no_text_gives_the_terminal_an_order(answer: object) -> None:
    """Alone, in a list, in a block, as the name of an attribute, in a table."""
    sheet = StringIO()
    print_answer(answer, Console(file=sheet, width=100), show_personal=True)
    assert "导?]0;师?" in sheet.getvalue()
    assert not {"\x1b", "\u202e"} & set(sheet.getvalue())


def test_rows_are_a_table(applied: Stage) -> None:
    """With our names for its columns; a scalar is a line."""
    listed = applied.ok("wecom", "department/simplelist").out.splitlines()
    assert listed[0].split() == ["id", "parent_id", "order"]
    assert listed[-1] == "not shown to this secret: name"
    assert len(listed) == 6
    assert "导师" in applied.ok("wecom", "tag/list").out
    assert applied.ok("wecom", "user/getuserid", f"mobile={mobile(1)}").out == "e001\n"
    assert "/" in applied.ok("wecom", "getcallbackip").out


def test_lists_inside_a_record_stand_below_it(applied: Stage) -> None:
    """A tag's members are a table under its name."""
    [tag] = applied.wecom.tags
    told = applied.ok("wecom", "tag/get", f"tagid={tag}").out
    assert told.index("导师") < told.index("members:") < told.index("e001")


def test_it_writes_nothing(looking: Stage) -> None:
    """No call of the writing kind, whatever is looked up."""
    for words in (("tag/list",), ("user/list_id", "limit=5"), ("export/user",), ("department/list", "id=1")):
        looking.wecom.job_seconds = 0
        before = len(looking.wecom.log)
        assert looking.run("wecom", *words, env=app_of(looking)).code == 0
        assert not [call for call in looking.wecom.log[before:] if call.is_write]


@pytest.mark.parametrize("call", ["user/create", "tag/delete", "message/send", "batch/replaceuser"])
def test_a_call_that_writes_is_refused(stage: Stage, call: str) -> None:
    """Wrong usage; WeCom is not asked at all."""
    printed = stage.run("wecom", call, "userid=e001")
    assert printed.code == 2
    printed.says("writing goes through plan and apply")
    assert not stage.wecom.log


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user/gett",), 'Did you mean "user/get"?'),
        (("nothing/like/it",), "`wxsync wecom` lists all"),
        (("gettoken",), "gives a secret"),
        (("user/get",), "wants userid=…"),
        (("user/get", "usrid=x"), "it has userid"),
        (("tag/list", "--corp", "beta"), "no corp 'beta' in the config; it has: acme"),
    ],
)
def test_wrong_usage(stage: Stage, words: tuple[str, ...], said: str) -> None:
    """Exit code 2 before anything is sent, as JSON where that is asked for."""
    stage.run("wecom", *words).says(said)
    as_json = stage.run("wecom", *words, "--format", "json")
    assert (as_json.code, as_json.json["code"]) == (2, "usage")
    assert said in as_json.json["message"]
    assert not stage.wecom.log


def test_wecoms_refusal_is_an_error_like_others(applied: Stage) -> None:
    """Exit code 1 with the hint of its errcode."""
    printed = applied.run("wecom", "user/get", "userid=e001")
    assert printed.code == 1
    printed.says("errcode 48009", "make a self-built app")
    missing = applied.run("wecom", "tag/get", "tagid=99", "--format", "json")
    assert (missing.code, missing.json["code"]) == (1, "wecom_not_found")


def test_an_app_that_is_not_configured(stage: Stage) -> None:
    """What only an app may ask says so without asking."""
    printed = stage.run("wecom", "appchat/get", "chatid=x1")
    assert printed.code == 1
    printed.says("corp.acme.app", "none is configured")
    assert not stage.wecom.log
