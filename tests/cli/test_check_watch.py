"""`wxsync check` says how a watched directory is watched, and what that cannot see."""

from __future__ import annotations

import pytest

from tests.cli.stage import SECRET, Stage
from tests.servers.slapd import PASSWORD, READER, SUFFIX, MakeSlapd, SlapdServer
from tests.sources.directory import BASE, company
from wxsync.cli.main import run

DIRECTORY = """[source.ad]
type = "ldap"
url = "{url}"
bind_dn = "{reader}"
bind_password = "env:LDAP_SECRET"
base_dn = "{base}"
departments = "(objectClass=organizationalUnit)"
members = "(objectClass=inetOrgPerson)"
watch = {watch}

[sync.acme]"""


def checked(
    stage: Stage,
    server: SlapdServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    watch: str = "true",
) -> list[str]:
    """What `check` says of watching, the level first; a cure follows as a line of its own."""
    monkeypatch.setenv("STAGE_SECRET", SECRET)
    monkeypatch.setenv("LDAP_SECRET", PASSWORD)
    directory = DIRECTORY.format(url=server.url, reader=READER, base=BASE, watch=watch)
    stage.configure(
        ("[sync.acme]", directory),
        ('sources = ["hr"]', 'sources = ["hr", "ad"]'),
    )
    capsys.readouterr()
    run(["--config", str(stage.config), "check"])
    lines = capsys.readouterr().out.splitlines()
    assert PASSWORD not in "\n".join(lines)
    found = [at for at, line in enumerate(lines) if "source ad" in line and "watched" in line]
    return [" ".join(lines[at + more].split()) for at in found for more in (0, 1) if at + more < len(lines)]


def test_by_what_it_is_watched(
    stage: Stage, make_slapd: MakeSlapd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found and tried, with the place of what no watch sees."""
    said, _ = checked(stage, make_slapd(company(4)), monkeypatch, capsys)
    assert said == (
        f"ok sync acme: source ad is watched by contextCSN of {SUFFIX} (server ids: 000);"
        ' what that does not see is in docs/safety.md, "Watching"'
    )


def test_why_it_cannot_be_watched(
    stage: Stage, make_slapd: MakeSlapd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A note and no fault, since it is read all the same; with what mends it."""
    said, cure = checked(stage, make_slapd(company(4), keeps_csn=False), monkeypatch, capsys)
    assert said == (
        "note sync acme: source ad cannot be watched, and is read when the schedule says so: contextCSN is"
        " there, but not kept: the overlay syncprov is not on this database"
    )
    assert cure.startswith("put the overlay syncprov on that database, and let the account of bind_dn read")


def test_nothing_is_said_where_nobody_asked(
    stage: Stage, make_slapd: MakeSlapd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `watch = true`."""
    assert checked(stage, make_slapd(company(4)), monkeypatch, capsys, watch="false") == []
