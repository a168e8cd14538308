"""`wxsync check` tells apart what can be wrong, each with its cure in a sentence, and writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import SECRET, Stage
from tests.servers.ports import free_port
from tests.wecom.web import INSPECTOR, OTHER_ADDRESS, Forwarding, certificate, off_by, serving
from wxsync.cli.main import run
from wxsync.mirror.quota import MirrorLedger
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.model.quota import Hold
from wxsync.sandbox.switches import App, ContactSync
from wxsync.wecom.limits import account_of

APP = '[corp.acme.app]\nagent_id = 1000002\nsecret = "env:APP_SECRET"\n'
APP_SECRET = "app-secret-5f0c"
CONTACT_PAGE = "管理后台 → 管理工具 → 通讯录同步"
APP_PAGE = "管理后台 → 应用管理 → 应用"


@dataclass(frozen=True)
class Checked:
    """What a check printed."""

    code: int
    out: str

    @property
    def levels(self) -> list[str]:
        """Of its lines that are no cures."""
        return [line.split()[0] for line in self.out.splitlines() if not line.startswith(" ")]

    def told(self, level: str, *words: str) -> str:
        """The cure of the one finding of this level that has all the words."""
        lines = [*self.out.splitlines(), ""]
        found = [
            place
            for place, line in enumerate(lines)
            if line.startswith(f"{level} ") and all(word in line for word in words)
        ]
        assert len(found) == 1, f"{len(found)} of {level} {words} in:\n{self.out}"
        return lines[found[0] + 1].strip()


Check = Callable[..., Checked]


@pytest.fixture
def check(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs `wxsync check` in this process; whatever it looks at, it must make no write call."""
    monkeypatch.setenv("STAGE_SECRET", SECRET)
    monkeypatch.setenv("APP_SECRET", APP_SECRET)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def checked(*arguments: str, **environment: str) -> Checked:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        before = len(stage.wecom.log)
        code = run(["--config", str(stage.config), "check", *arguments])
        out = capsys.readouterr().out
        assert not [call for call in stage.wecom.log[before:] if call.is_write]
        assert not any(secret in out for secret in (*stage.secrets, *stage.wecom.tokens, APP_SECRET))
        return Checked(code, out)

    return checked


def with_app(stage: Stage, **switches: Any) -> None:
    """The config has an app, and WeCom knows it."""
    stage.configure(add=APP)
    stage.wecom.apps = (App(secret=APP_SECRET, **switches),)


# Secrets and rights


def test_a_wrong_corp_id(stage: Stage, check: Check) -> None:
    """Told apart from a wrong secret."""
    stage.configure((stage.wecom.corp_id, "ww0000000000000000"))
    assert "the corp_id is wrong" in check().told("FAULT", "errcode 40013")


def test_a_wrong_secret_is_asked_with_once_until_retry_is_said(stage: Stage, check: Check) -> None:
    """The second check asks nothing; `--retry` asks, and the right secret needs no such thing."""

    def asked() -> int:
        return sum(call.path == "gettoken" for call in stage.wecom.log)

    cure = check(STAGE_SECRET="wrong-4b7e").told("FAULT", "errcode 40001", "corp.acme.contact_secret")
    assert "reset" in cure
    assert CONTACT_PAGE in cure
    assert asked() == 1
    check(STAGE_SECRET="wrong-4b7e").told("FAULT", "errcode 40001", "wxsync check --retry")
    assert asked() == 1
    checked = check("--retry", STAGE_SECRET="wrong-4b7e")
    checked.told("ok", "1 refused secret forgotten")
    assert asked() == 2
    assert check(STAGE_SECRET=SECRET).code == 0


def test_retry_forgets_that_a_call_was_refused_for_a_while(stage: Stage, check: Check) -> None:
    """A hold after 45009 keeps every run from the call, and goes with the refused secrets."""
    account, now = account_of(stage.wecom.corp_id, "department/simplelist"), time.time()
    check()
    store = Store(prepare(f"sqlite:///{stage.mirror_file}"))
    try:
        MirrorLedger(store).hold(account, Hold(until=now + 3600, step=1), now)
        assert check().code == 1
        assert check("--retry").code == 0
        assert MirrorLedger(store).held(account, now) is None
    finally:
        store.close()


def test_the_secret_of_another_corp(stage: Stage, check: Check) -> None:
    """40091 is not 40001: both values are to be copied again."""
    stage.wecom.refused_secrets = {"theirs-11c0": 40091}
    cure = check(STAGE_SECRET="theirs-11c0").told("FAULT", "errcode 40091")
    assert "another corp's: copy corp_id and secret" in cure


def test_contact_sync_is_switched_off(stage: Stage, check: Check) -> None:
    """48002 on the first call that wants a right."""
    stage.wecom.contact_sync = ContactSync.OFF
    checked = check()
    assert "contact sync is switched off" in checked.told("FAULT", "errcode 48002")
    assert checked.code == 1


def test_an_apps_secret_in_the_place_of_contact_syncs(stage: Stage, check: Check) -> None:
    """It lists departments, and not members."""
    stage.wecom.apps = (App(secret=APP_SECRET),)
    cure = check(STAGE_SECRET=APP_SECRET).told("FAULT", "user/list_id", "errcode 48002")
    assert "the secret is an app's" in cure


def test_whether_it_may_write_is_known_by_the_last_writing(stage: Stage, check: Check) -> None:
    """Before any, nobody knows, as check writes nothing; then as WeCom answered the last run that wrote."""
    assert "API 编辑通讯录" in check().told("note", "no reading tells")
    stage.wecom.contact_sync = ContactSync.READ
    stage.run("apply", "--yes")
    assert "API 编辑通讯录" in check().told("FAULT", "may not write", "errcode 60011", "run 1")
    stage.wecom.contact_sync = ContactSync.EDIT
    stage.ok("apply", "--yes")
    checked = check()
    checked.told("ok", "could write when it last did", "run 2")
    assert checked.code == 0


# Addresses


def test_an_address_that_is_not_trusted(stage: Stage, check: Check) -> None:
    """WeCom names the address that is to be entered."""
    stage.wecom.trusted_ips = ["203.0.113.7"]
    checked = check()
    checked.told("ok", "WeCom is reached", "sees this machine as 127.0.0.1")
    cure = checked.told("FAULT", "errcode 60020")
    assert "WeCom sees this machine as 127.0.0.1" in cure
    assert "企业可信IP" in cure


def test_a_proxy_that_changes_the_address(stage: Stage, check: Check) -> None:
    """What WeCom sees is the proxy's: that one has to be trusted."""
    stage.wecom.trusted_ips = ["127.0.0.1"]
    with serving(Forwarding) as proxy:
        stage.configure(("contact_secret", f'proxy = "{proxy}"\ncontact_secret'))
        checked = check()
    checked.told("ok", "reached through the proxy", f"sees this machine as {OTHER_ADDRESS}")
    cure = checked.told("note", "the proxy changes the address", OTHER_ADDRESS, "127.0.0.1 without")
    assert f"enter {OTHER_ADDRESS}" in cure
    assert "that address is the proxy's" in checked.told("FAULT", "errcode 60020")


def test_the_environments_proxies(stage: Stage, check: Check) -> None:
    """Ignored and told so, without the password in them; used where the config says so."""
    with serving(Forwarding) as proxy:
        address = proxy.replace("http://", "http://wx:pass-77@")
        checked = check(HTTP_PROXY=address, http_proxy=address)
        assert 'corp.acme.proxy = "env"' in checked.told("note", "HTTP_PROXY of the environment: ignored")
        assert "pass-77" not in checked.out
        stage.configure(("contact_secret", 'proxy = "env"\ncontact_secret'))
        check(HTTP_PROXY=address, http_proxy=address).told("ok", "through the proxy", OTHER_ADDRESS)


def test_an_environment_without_a_proxy(stage: Stage, check: Check) -> None:
    """The config says "env", and there is nothing to use."""
    stage.configure(("contact_secret", 'proxy = "env"\ncontact_secret'))
    check().told("note", "the environment names no proxy")


# The line


def test_dns(stage: Stage, check: Check) -> None:
    """The name is told; with nobody there no secret is tried, and the source is looked at all the same."""
    stage.configure((stage.base_url, "https://wecom.invalid"))
    checked = check(HTTPS_PROXY="http://proxy.example:3128")
    cure = checked.told("FAULT", "its name does not resolve", "at https://wecom.invalid")
    assert "DNS" in cure
    assert "HTTPS_PROXY of the environment is ignored" in cure
    checked.told("ok", "the source gives 12 people")
    assert checked.code == 1


def test_no_network_and_a_closed_port(stage: Stage, check: Check) -> None:
    """No way there; nobody who listens."""
    base_url = stage.base_url
    stage.configure((base_url, "https://255.255.255.255"))
    assert "a route" in check().told("FAULT", "has no way there")
    stage.configure((base_url, f"http://127.0.0.1:{free_port()}"))
    assert "firewall" in check().told("FAULT", "refused or cut (Connection refused)")


def test_tls_interception(stage: Stage, check: Check, tmp_path: Path) -> None:
    """The issuer of the certificate is named: that is who reads along."""
    context, _ = certificate(tmp_path)
    with serving(context=context) as url:
        stage.configure((stage.base_url, url))
        checked = check()
    cure = checked.told("FAULT", "its certificate is not trusted", "issued by ", f"CN={INSPECTOR}")
    assert "TLS inspection" in cure
    assert "corp.acme.ca_file" in cure
    assert not stage.wecom.log


@pytest.mark.parametrize(("seconds", "words"), [(-300, "seconds ahead of"), (3600, "seconds behind")])
def test_a_clock_that_is_off(stage: Stage, check: Check, seconds: int, words: str) -> None:
    """By more than a minute, compared with the Date of an answer."""
    with serving(off_by(seconds)) as url:
        stage.configure((stage.base_url, url))
        assert "NTP" in check().told("FAULT", "this machine's clock", words)


def test_somebody_else_answers(stage: Stage, check: Check) -> None:
    """A server that knows no call of WeCom's is not asked with a secret."""
    stage.configure((stage.base_url, f"{stage.base_url}/sandbox"))
    assert "login page" in check().told("FAULT", "it is not WeCom that answers", "404")


# What is seen


def test_ids_alone_and_what_to_click(stage: Stage, check: Check) -> None:
    """48009 is no fault; what cannot be seen is said, and how it could be."""
    checked = check()
    checked.told("ok", "shows nothing but ids")
    cure = checked.told("note", "names and all their fields cannot be seen")
    assert APP_PAGE in cure
    assert "[corp.acme.app]" in cure
    assert checked.code == 0


def test_an_app_of_today(applied: Stage, check: Check) -> None:
    """Names and most fields; phone numbers are hidden, and no switch shows them."""
    with_app(applied)
    checked = check()
    checked.told("ok", "the app sees all 4 departments")
    checked.told("ok", "shows the app the names", "hidden", "mobile")
    assert "no switch shows them" in checked.told("note", "phone numbers and e-mail addresses cannot be seen")
    with_app(applied, sees_sensitive=True)
    assert "cannot be seen" not in check().out


def test_an_old_address(applied: Stage, check: Check) -> None:
    """Contact sync shows everything from it, until it is not used for 90 days."""
    applied.wecom.legacy_ip = True
    assert "make an app" in check().told("note", "may read details", "90 days")


def test_an_app_that_is_disabled(applied: Stage, check: Check) -> None:
    """A fault of the app's; what contact sync shows is told all the same."""
    with_app(applied, is_enabled=False)
    checked = check()
    assert "the app is disabled: enable it" in checked.told("FAULT", "the app", "errcode 50003")
    assert "mend what is said of the app" in checked.told("note", "cannot be seen")


def test_contact_syncs_secret_in_the_place_of_the_apps(applied: Stage, check: Check) -> None:
    """Both secrets in each other's place: 48009 of the app is not mended by making one."""
    with_app(applied)
    cure = check(STAGE_SECRET=APP_SECRET, APP_SECRET=SECRET).told("FAULT", "the app", "errcode 48009")
    assert "the secret is contact sync's: copy the app's own" in cure
    assert APP_PAGE in cure


def test_a_wrong_secret_of_the_app(applied: Stage, check: Check) -> None:
    """Told with its own page of the console."""
    with_app(applied)
    cure = check(APP_SECRET="wrong-app-00").told("FAULT", "the app", "40001", "corp.acme.app.secret")
    assert APP_PAGE in cure


def test_an_app_that_sees_a_part(applied: Stage, check: Check) -> None:
    """The departments outside its scope are named."""
    [hr] = [each for each in applied.wecom.departments.values() if each.name == "人事部"]
    with_app(applied, scope=(hr.id,))
    checked = check()
    assert "可见范围" in checked.told("note", "does not see 3 of 4 departments", "1,")
    assert checked.code == 0


def test_a_cap_that_is_near(applied: Stage, check: Check) -> None:
    """From nine tenths on; without a cap in the config nobody knows it."""
    assert "accounts" not in check().out
    applied.configure(("contact_secret", "account_cap = 13\ncontact_secret"))
    assert "raised" in check().told("note", "12 of 13 accounts are taken")
    applied.configure(("contact_secret", "account_cap = 14\ncontact_secret"))
    assert "accounts" not in check().out


def test_creations_that_are_near(applied: Stage, check: Check) -> None:
    """Of three times the cap in 30 days, as the journal has them."""
    applied.configure(("contact_secret", "account_cap = 4\ncontact_secret"))
    check().told("note", "12 members were created within 30 days, of 12 allowed")


# What the source wants


def test_a_tag_of_another_owner(stage: Stage, check: Check) -> None:
    """Whose it is no reading tells; once WeCom has refused to change it, it is a fault."""
    stage.wecom.directory.add_tag(name="导师", owner="app:1000009", id=None)
    assert "81011" in check().told("note", "in WeCom already: 导师")
    digest = stage.ok("plan", "--adopt", "--format", "json").json["digest"]
    stage.run("apply", "--approve", digest)
    stage.run("apply", "--yes")
    cure = check().told("FAULT", "did not let wxsync change tags", "81011", "导师")
    assert "other names" in cure


def test_a_mail_domain_that_differs(applied: Stage, check: Check) -> None:
    """Where WeCom shows mailboxes they are compared; where it refused them the last run tells."""
    mapped = ('position = "title"', 'position = "title"\nbiz_mail = "(emp_no | lower) ~ \'@other.example\'"')
    applied.wecom.mail_domain, applied.wecom.legacy_ip = "acme.example", True
    for member in applied.wecom.members.values():
        member.biz_mail = f"{member.userid}@acme.example"
    applied.configure(mapped)
    cure = check().told("note", "mailboxes at other.example", "those in WeCom are at acme.example")
    assert "协作 → 邮件" in cure
    applied.run("apply", "--yes")
    assert "协作 → 邮件" in check().told("FAULT", "did not take", "60143")
