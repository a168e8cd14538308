"""[notify.NAME]: what it takes, and what it refuses with a word on how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.service.desk import SECRET, settings
from wxsync.config.loader import load_settings
from wxsync.config.notify import GroupChannelSettings, robot_key
from wxsync.errors import ConfigError

APP: dict[str, Any] = {"type": "app", "recipients": ["lin"]}
GROUP: dict[str, Any] = {"type": "group", "webhook": "k"}
MAIL: dict[str, Any] = {
    "type": "smtp",
    "host": "mail.example.com",
    "sender": "a@example.com",
    "recipients": ["b@example.com"],
}
HOOK: dict[str, Any] = {"type": "http", "url": "https://h.example.com", "secret": SECRET}


@pytest.mark.parametrize(
    ("channel", "problem"),
    [
        ({**APP, "recipients": []}, "at least 1"),
        ({**APP, "recipients": ["@all"]}, "is no userid: name each member"),
        ({**APP, "recipients": ["a|b"]}, "is no userid"),
        ({**APP, "approvers": ["wang"]}, 'names "wang", who is not among recipients'),
        ({**APP, "link": "work.weixin.qq.com"}, "is not a web address"),
        ({**GROUP, "webhook": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"}, "ends in send"),
        ({**GROUP, "webhook": "two words"}, "is no webhook of a group"),
        ({**MAIL, "sender": "wxsync"}, "is no e-mail address"),
        ({**MAIL, "recipients": ["a@b\nBcc: c@d"]}, "is no e-mail address"),
        ({**MAIL, "username": "u"}, "username and password go together"),
        (
            {**MAIL, "username": "u", "password": "p", "security": "none"},
            "would send the password unencrypted",
        ),
        ({**MAIL, "port": 0}, "greater than or equal to 1"),
        ({**HOOK, "url": "http://h.example.com"}, "anybody on the way can read"),
        ({**HOOK, "url": "https://h:99999"}, "is not an address that can be read"),
        ({**HOOK, "secret": "short"}, "is shorter than 16 characters"),
        ({"type": "fax"}, "does not match any of the expected tags"),
    ],
)
def test_what_cannot_work_is_refused(channel: dict[str, Any], problem: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match=problem):
        settings(channel)


def test_a_webhook_by_its_address_or_its_key() -> None:
    """WeCom shows the address."""
    whole = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a1-b2_c3"
    found = settings({**GROUP, "webhook": whole}).notify["way"]
    assert isinstance(found, GroupChannelSettings)
    assert (found.key, robot_key("a1-b2_c3")) == ("a1-b2_c3", "a1-b2_c3")
    assert "a1-b2" not in repr(found)


def test_an_address_for_a_program_is_shown_nowhere() -> None:
    """It may hold a token."""
    assert "t0ken" not in repr(settings({**HOOK, "url": "https://h.example.com/?t0ken"}))


FILE = """
[mirror]
url = "sqlite:///m.db"
[corp.acme]
corp_id = "ww1"
contact_secret = "s"
{app}
[source.hr]
type = "sql"
url = "sqlite:///hr.db"
departments = "SELECT 1"
members = "SELECT 1"
[notify.chiefs]
type = "{type}"
recipients = ["lin"]
approvers = ["lin"]
[sync.acme]
corp = "acme"
sources = ["hr"]
mode = "plan"
notify = ["{name}"]
department = {{ key = "a", parent = "a", name = "a" }}
member = {{ key = "a", userid = "a", name = "a" }}
policy = {{ leavers = "keep", empty_departments = "keep", adopt = [] }}
"""
WITH_APP = '[corp.acme.app]\nagent_id = 1\nsecret = "other"'


@pytest.mark.parametrize(
    ("app", "type_", "name", "problem"),
    [
        ("", "app", "chiefs", "sync.acme.notify[0]: chiefs sends by the corp's app: give [corp.acme.app]"),
        (
            WITH_APP,
            "app",
            "chiefs",
            "chiefs has approvers, whose clicks come back: give [corp.acme.app.callback]",
        ),
        (WITH_APP, "app", "chief", 'there is no table [notify.chief]. Did you mean "chiefs"?'),
        (WITH_APP, "apps", "chiefs", 'notify.chiefs.type: is "apps", but must be "app" or "group" or "smtp"'),
    ],
)
def test_what_a_sync_takes_is_there(tmp_path: Path, app: str, type_: str, name: str, problem: str) -> None:
    """The channel, the app that it sends by, the receiver of its clicks; a type that is none."""
    path = tmp_path / "wxsync.toml"
    path.write_text(FILE.format(app=app, type=type_, name=name), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environment={})
    assert problem in str(caught.value)
