"""The commands that only look: check, status, runs and db status, in text and JSON."""

from __future__ import annotations

import stat

from tests.cli.stage import Stage
from wxsync.mirror.schema import head

IDS_ALONE = "shows nothing but ids to this secret; names and fields are taken for what wxsync last wrote"


def test_check_says_what_works(stage: Stage) -> None:
    """A line each for config, mirror, line, WeCom, what it shows, and the source; and what is not known."""
    lines = stage.ok("check").out.splitlines()
    assert [line for line in lines if line.startswith("ok ")] == [
        "ok       the config can be used",
        "ok       sync acme: the mirror is there and its schema fits",
        "ok       sync acme: WeCom is reached, which sees this machine as 127.0.0.1",
        "ok       sync acme: WeCom answers; it has 1 department",
        f"ok       sync acme: WeCom {IDS_ALONE}",
        "ok       sync acme: the source gives 12 people, 3 departments, 1 tag; 0 rejected",
    ]
    assert [line.split(":")[1] for line in lines if line.startswith("note ")] == [
        " whether contact sync may write shows at the first write",
        " departments' names, members' names and all their fields cannot be seen",
    ]
    assert not [call for call in stage.wecom.log if call.is_write]
    assert stat.S_IMODE(stage.mirror_file.stat().st_mode) == 0o600


APP = '[corp.acme.app]\nagent_id = 1000002\nsecret = "env:APP_SECRET"\n'


def test_check_says_what_wecom_shows_and_hides(applied: Stage) -> None:
    """By the app, and by the contact-sync secret from an old address."""
    applied.configure(add=APP)
    environment = {"APP_SECRET": applied.wecom.apps[0].secret}
    told = applied.run("check", env=environment).out
    assert "ok       sync acme: WeCom shows the app the names of departments, and of members: name," in told
    assert "; hidden, and taken for what wxsync last wrote: mobile, email, gender," in told
    applied.wecom.legacy_ip = True
    told = applied.run("check", env=environment).out
    assert "WeCom shows this secret, from this address, the names of departments, and of members: " in told


def test_check_names_the_secret_that_is_wrong(applied: Stage) -> None:
    """A corp has several; the words of WeCom do not say which it was."""
    applied.configure(add=APP)
    printed = applied.run("check", env={"APP_SECRET": "wrong-app-secret"})
    assert printed.code == 1
    assert "errcode 40001" in printed.out
    assert "(asked with corp.acme.app.secret)" in printed.out
    assert "wrong-app-secret" not in printed.out
    printed = applied.run("check", env={"APP_SECRET": "wrong", "STAGE_SECRET": "wrong too"})
    assert "(asked with corp.acme.contact_secret)" in printed.out


def test_check_tells_every_broken_part(applied: Stage) -> None:
    """Each fault has its place and its way to mend it; one does not hide the other."""
    applied.configure(("SELECT * FROM employees", "SELECT * FROM emploees"))
    applied.wecom.trusted_ips = []
    printed = applied.run("check")
    assert printed.code == 1
    faults = [line for line in printed.out.splitlines() if line.startswith("FAULT ")]
    assert len(faults) == 2
    assert faults[0].startswith("FAULT    sync acme: WeCom: WeCom refused department/simplelist")
    assert faults[1].startswith("FAULT    sync acme: the source: source hr: the members query failed")
    assert "         correct source.hr.members" in printed.out

    applied.wecom.trusted_ips = None
    applied.mirror = "sqlite:///gone/mirror.db"
    applied.configure()
    printed = applied.run("check")
    assert printed.code == 1
    assert "FAULT    sync acme: the mirror " in printed.out


def test_status(stage: Stage) -> None:
    """Before and after the first run, for people and for programs."""
    assert stage.ok("status").out.splitlines() == [
        "acme (corp acme, mode plan)",
        "  ours: 0 members, 0 departments, 0 tags",
        "  last run: none yet; start with `wxsync plan`",
    ]
    assert stage.ok("runs").out == "No run yet. Start with `wxsync plan`.\n"
    assert stage.ok("runs", "--format", "json").json == []
    stage.ok("apply", "--yes")
    lines = stage.ok("status").out.splitlines()
    assert lines[1] == "  ours: 12 members, 3 departments, 1 tag"
    assert lines[2].startswith("  last run: 1 apply applied at 2")
    (row,) = stage.ok("status", "--format", "json").json
    assert (row["sync"], row["corp"], row["mode"]) == ("acme", "acme", "plan")
    assert (row["members"], row["departments"], row["tags"]) == (12, 3, 1)
    assert row["last_run"]["state"] == "applied"
    assert row["last_run"]["counts"] == {"done": 16}


def test_status_names_numbers_that_are_not_proven(applied: Stage) -> None:
    """WeCom may have ignored a number that was sent: how many and whose, ten of them at most."""
    assert "not proven" not in applied.ok("status").out
    applied.sql("UPDATE employees SET mobile = '139' || substr(mobile, 4) WHERE emp_no <> 'E012'")
    applied.ok("apply", "--yes")
    keys = [f"E{number:03}" for number in range(1, 11)]
    told = f"  phone numbers sent and not proven: 11 ({', '.join(keys)} and 1 more)"
    assert told in applied.ok("status").out.splitlines()
    (row,) = applied.ok("status", "--format", "json").json
    assert (row["unproven_mobiles"], row["unproven_keys"]) == (11, keys)
    applied.sql("UPDATE employees SET status = 'left' WHERE emp_no = 'E001'")
    assert applied.run("plan", "--exit-code").code == 3


def test_runs(applied: Stage) -> None:
    """The newest first; one alone has its outcomes, with the change that each is about."""
    applied.sql("UPDATE employees SET title = '经理' WHERE emp_no = 'E002'")
    applied.wecom.faults.answer("user/update", 60111)
    assert applied.run("apply", "--yes").code == 5
    lines = applied.ok("runs").out.splitlines()
    assert lines[0].split() == ["run", "sync", "what", "state", "started", "outcomes", "error"]
    assert lines[1].split()[:4] == ["2", "acme", "apply", "applied"]
    assert "1 failed" in lines[1]
    assert "16 done" in lines[2]
    assert len(applied.ok("runs", "--limit", "1").out.splitlines()) == 2
    newest, first = applied.ok("runs", "--format", "json").json
    assert (newest["id"], newest["verb"], newest["trigger"]) == (2, "apply", "manual")
    assert (newest["counts"], first["counts"]) == ({"failed": 1}, {"done": 16})
    assert newest["started_at"].endswith("Z")

    one = applied.ok("runs", "2").out
    assert one.startswith("run 2 of acme: apply, applied\n")
    assert "failed   update member E002: 60111 " in one
    document = applied.ok("runs", "2", "--format", "json").json
    assert document["format"] == "wxsync-run/1"
    assert document["plan"]["changes"][0]["key"] == "E002"
    assert document["outcomes"][0]["errcode"] == 60111
    missing = applied.run("runs", "99")
    assert missing.code == 1
    missing.says("Error: there is no run 99", "`wxsync runs` lists them")


def test_db_status(stage: Stage) -> None:
    """It makes no file where there is none; later it has the place, the schema and the size."""
    assert stage.ok("db", "status").out.splitlines()[:2] == [
        f"mirror:  {stage.mirror_file}",
        f"schema:  none (needs {head()})",
    ]
    assert not stage.mirror_file.exists()
    assert stage.ok("db", "upgrade").out.splitlines()[1] == f"schema:  {head()}"
    document = stage.ok("db", "status", "--format", "json").json
    assert document["place"] == str(stage.mirror_file)
    assert (document["schema"], document["head"], document["is_at_head"]) == (head(), head(), True)
    assert document["size_bytes"] > 0
    assert stat.S_IMODE(stage.mirror_file.stat().st_mode) == 0o600
