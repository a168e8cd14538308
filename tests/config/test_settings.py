"""Settings as records: what single values may be, and what they become."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wxsync.config.addresses import check_base_url, check_ldap_url, check_listen, check_proxy, is_loopback
from wxsync.config.database import check_database_url
from wxsync.config.settings import (
    CorpSettings,
    Expression,
    LdapSourceSettings,
    MemberMapping,
    MirrorSettings,
    PolicySettings,
    Secret,
    SqlSourceSettings,
)

DIRECTORY = {
    "type": "ldap",
    "url": "ldap://localhost",
    "base_dn": "dc=example,dc=com",
    "departments": "(ou=*)",
    "members": "(uid=*)",
}


@pytest.mark.parametrize(
    "text", ["127.0.0.1:8080", "[::1]:8080", "localhost:0", "hr.example.com:443", "0.0.0.0:65535"]
)
def test_listen(text: str) -> None:
    """host:port is taken as it is."""
    assert check_listen(text) == text


@pytest.mark.parametrize(
    "text", ["", ":8080", "localhost", "::1:8080", "h:", "h:x", "h:65536", "a b:1", "http://h:1"]
)
def test_listen_refuses_others(text: str) -> None:
    """Anything without both is a fault."""
    with pytest.raises(ValueError, match="is not host:port"):
        check_listen(text)


@pytest.mark.parametrize(
    ("text", "allow_http", "url"),
    [
        ("https://qyapi.weixin.qq.com", False, "https://qyapi.weixin.qq.com"),
        ("https://qyapi.weixin.qq.com/", False, "https://qyapi.weixin.qq.com"),
        ("https://gate.example.com/wecom/", False, "https://gate.example.com/wecom"),
        ("http://127.0.0.1:8080", False, "http://127.0.0.1:8080"),
        ("http://127.9.9.9", False, "http://127.9.9.9"),
        ("http://localhost:1", False, "http://localhost:1"),
        ("http://[::1]:8080", False, "http://[::1]:8080"),
        ("http://wecom.example.com", True, "http://wecom.example.com"),
    ],
)
def test_base_url(text: str, allow_http: bool, url: str) -> None:
    """Encrypted, on this machine, or allowed; without the last slash."""
    assert check_base_url(text, allow_http=allow_http) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://qyapi.weixin.qq.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://x",
        "//x",
        "https://",
        "https://h/cgi-bin",
        "https://h/cgi-bin/user",
        "https://h?x=1",
        "https://h#x",
        "https://u@h",
        "https://h:99999",
        "https://[::1",
        "https://a b",
    ],
)
def test_base_url_refuses_others(text: str) -> None:
    """Secrets go unencrypted nowhere but on this machine."""
    with pytest.raises(ValueError, match=r"^(is|must|holds)"):
        check_base_url(text, allow_http=False)


def test_loopback() -> None:
    """A name that merely looks local is not."""
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("LOCALHOST")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("localhost.example.com")


def test_proxy_and_directory_addresses() -> None:
    """A proxy is "env" or an address; a directory's is ldap:// or ldaps:// without a path."""
    assert check_proxy("env") == "env"
    assert check_proxy("http://proxy:3128") == "http://proxy:3128"
    assert check_ldap_url("ldaps://dc1.example.com:636/") == "ldaps://dc1.example.com:636/"
    for faulty in ("ldaps://h/DC=x", "ldapi://h", "ldaps://"):
        with pytest.raises(ValueError, match=r"directory's address|without a path"):
            check_ldap_url(faulty)


@pytest.mark.parametrize(
    "secret", ["reader:s3cret@dc1", "reader:s3/cret@dc1", "reader@dc1", "a@b:s3cret@dc1:389"]
)
def test_a_directory_address_with_a_user_in_it(secret: str) -> None:
    """It would be ignored: the config says how to bind, and the problem shows nothing of the address."""
    with pytest.raises(ValueError, match="must be without user and password") as caught:
        check_ldap_url(f"ldap://{secret}")
    assert not any(part in str(caught.value) for part in ("s3", "reader", "dc1"))


@pytest.mark.parametrize("url", ["ldap://dc1:3268", "ldaps://dc1:3269", "ldaps://[::1]:3269/"])
def test_the_global_catalog_is_refused(url: str) -> None:
    """It lacks attributes of everybody, which would look empty: the cure is told."""
    with pytest.raises(ValueError, match=r"is the global catalog .*636 for ldaps:// and 389 for ldap://"):
        check_ldap_url(url)


@pytest.mark.parametrize("key", ["page_size", "connect_timeout", "receive_timeout"])
@pytest.mark.parametrize("value", [0, 100_001, 3_000_000_000])
def test_numbers_that_no_directory_takes(key: str, value: int) -> None:
    """A page, or a time, beyond all measure is a problem of the config, and no failure of a run."""
    with pytest.raises(ValidationError) as caught:
        LdapSourceSettings.model_validate({**DIRECTORY, key: value})
    assert [each["loc"] for each in caught.value.errors()] == [(key,)]


@pytest.mark.parametrize(
    "faulty",
    [
        "http://wxsync:hu@sh/sh@proxy:3128",
        "http://wxsync:hu@sh@proxy:3128",
        "http://proxy:3128/hush",
        "http://proxy:3128?hush",
        "http://proxy:3128#hush",
    ],
)
def test_a_proxys_password_cannot_become_its_host(faulty: str) -> None:
    """Unescaped, @ and / would make another host of it: refused with what to write, and not repeated."""
    with pytest.raises(ValueError, match=r"%40.*%2F") as caught:
        check_proxy(faulty)
    assert "hu" not in str(caught.value)


def test_a_proxys_password_may_be_escaped() -> None:
    """With %40 and %2F, and with a slash after the port, which says nothing."""
    for good in ("http://wxsync:p%40ss%2Fword@proxy:3128", "http://wxsync:word@proxy:3128/"):
        assert check_proxy(good) == good


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("sqlite+pysqlite:////x/a.db", "sqlite:////x/a.db"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        (
            "postgresql+psycopg://u@h:5433/d?sslmode=require",
            "postgresql+psycopg://u@h:5433/d?sslmode=require",
        ),
        ("mysql+pymysql://u@h/d", "mysql+pymysql://u@h/d"),
    ],
)
def test_database_urls_name_their_driver(text: str, url: str) -> None:
    """PostgreSQL is reached by psycopg, SQLite by Python's own driver."""
    assert check_database_url(text, dialects=("sqlite", "postgresql", "mysql"), around=None) == url


@pytest.mark.parametrize("table", [MirrorSettings, SqlSourceSettings])
def test_a_password_leaves_the_url(table: type[MirrorSettings | SqlSourceSettings]) -> None:
    """The URL that is shown has no password; the one to connect with has it, masked."""
    more: dict[str, Any] = {} if table is MirrorSettings else {"type": "sql", "members": "SELECT 1"}
    settings = table.model_validate({"url": "postgresql://u:p%40ss@h/d", **more})
    assert settings.url == "postgresql+psycopg://u@h/d"
    assert settings.password == Secret("p@ss")
    assert settings.full_url.password == "p@ss"
    assert "p@ss" not in repr(settings) + str(settings.full_url) + repr(settings.full_url)
    beside = table.model_validate({"url": "postgresql://u@h/d", "password": "p@ss", **more})
    assert beside == settings
    with pytest.raises(ValidationError, match="is given twice"):
        table.model_validate({"url": "postgresql://u:x@h/d", "password": "y", **more})


def test_queries_lose_their_semicolon() -> None:
    """A query is also counted as a subquery, so what ends a statement goes."""
    source = SqlSourceSettings.model_validate(
        {"type": "sql", "url": "sqlite:///a", "members": " SELECT 1 ;\n"}
    )
    assert source.members == "SELECT 1"


def test_a_proxys_password_is_not_shown() -> None:
    """The proxy's address may hold a password, so no repr has it."""
    corp = CorpSettings(corp_id="ww1", contact_secret=Secret("x"), proxy="http://u:hush@proxy:3128")
    assert "hush" not in repr(corp)


def test_settings_are_frozen() -> None:
    """Nothing changes settings after they were read."""
    mapping = MemberMapping(key=Expression("a"), userid=Expression("b"), name=Expression("c"))
    with pytest.raises(ValidationError):
        mapping.key = Expression("z")  # type: ignore[misc]


def test_what_destroys_has_no_default() -> None:
    """leavers, empty_departments and adopt must be said; the rest is the contract's default."""
    with pytest.raises(ValidationError) as caught:
        PolicySettings.model_validate({})
    assert {error["loc"] for error in caught.value.errors()} == {
        ("leavers",),
        ("empty_departments",),
        ("adopt",),
    }
    policy = PolicySettings(leavers="keep", empty_departments="keep", adopt=())
    assert policy.model_dump(exclude={"leavers", "empty_departments", "adopt"}) == {
        "delete_after_days": None,
        "adopt_departments": {},
        "protect": (),
        "foreign_memberships": "keep",
        "missing_in_wecom": "report",
        "empty_tags": "keep",
        "invite": False,
        "method": "auto",
        "exclusive": False,
        "replace": False,
        "clear_when_empty": (),
        "confirm_reads": 2,
        "strict_tags": False,
    }


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({}, "nobody else edits the directory"),
        ({"exclusive": True, "method": "single"}, 'method = "single" has none'),
    ],
)
def test_replacing_everybody_wants_the_operators_word(more: dict[str, Any], problem: str) -> None:
    """Without `exclusive` it is refused, with what that means; so it is where no file is wanted."""
    policy = {"leavers": "keep", "empty_departments": "keep", "adopt": (), "replace": True}
    with pytest.raises(ValidationError, match=problem):
        PolicySettings.model_validate({**policy, **more})
    assert PolicySettings.model_validate({**policy, "exclusive": True}).replace


def test_clear_when_empty_takes_attributes() -> None:
    """All custom attributes, or one by name, may be cleared too."""
    names = ("extattr", "extattr.工号", "position")
    policy = PolicySettings(leavers="keep", empty_departments="keep", adopt=(), clear_when_empty=names)
    assert policy.clear_when_empty == names
    with pytest.raises(ValidationError):
        PolicySettings(leavers="keep", empty_departments="keep", adopt=(), clear_when_empty=("extattr.",))
