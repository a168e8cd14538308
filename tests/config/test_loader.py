"""The config file: found, read, and all its problems told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config.sample import ENVIRONMENT, REMOVED, changed, load, to_toml
from wxsync.config import loader
from wxsync.config.loader import find_config, load_settings
from wxsync.errors import ConfigError

UNENCRYPTED = (
    "is http://, which would send the secrets unencrypted. Use https://, or set allow_http = true beside it"
)
TOO_SHORT = (
    'has 4 fields; a schedule has five, such as "*/15 * * * *" '
    "(minute, hour, day of month, month, day of week)"
)


def problems(directory: Path, data: dict[str, Any], **environment: str) -> tuple[str, ...]:
    """The problems of a config that has some."""
    with pytest.raises(ConfigError) as caught:
        load(directory, data, **environment)
    assert caught.value.__cause__ is None
    return caught.value.problems


def test_a_valid_config_has_no_problem_and_no_warning(tmp_path: Path) -> None:
    """The sample loads; secrets are resolved, files stand beside the config."""
    loaded = load(tmp_path, changed())
    assert loaded.warnings == ()
    assert loaded.path == tmp_path / "wxsync.toml"
    assert loaded.settings.corp["acme"].contact_secret.get_secret_value() == ENVIRONMENT["CONTACT"]
    assert loaded.settings.mirror.url == f"sqlite:///{tmp_path}/mirror.db"
    assert loaded.settings.sync["acme"].time_zone == "Asia/Shanghai"
    assert loaded.settings.sync["acme"].policy.missing_in_wecom == "report"


def test_all_problems_are_told_at_once_each_with_its_path(tmp_path: Path) -> None:
    """Faults of different kinds in different tables come in one error."""
    found = problems(
        tmp_path,
        changed(
            corp__acme__contact_secret="env:UNSET",
            corp__acme__base_url="http://qyapi.weixin.qq.com",
            sync__acme__member__userid="emp_no | lwer",
            sync__acme__member__mobil="mobile",
            sync__acme__corp="acm",
            sync__acme__mode=REMOVED,
            sync__acme__policy__leavers="remove",
            sync__acme__schedule="* * * *",
        ),
    )
    assert set(found) == {
        "corp.acme.contact_secret: the environment variable UNSET is not set",
        f"corp.acme.base_url: {UNENCRYPTED}",
        'sync.acme.member.userid: column 10: there is no filter "lwer". Did you mean "lower"?',
        'sync.acme.member.mobil: there is no such key. Did you mean "mobile"?',
        'sync.acme.corp: there is no table [corp.acm]. Did you mean "acme"?',
        "sync.acme.mode: is required",
        'sync.acme.policy.leavers: is "remove", but must be "keep" or "disable" or "delete"',
        f"sync.acme.schedule: {TOO_SHORT}",
    }


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"servce": {}}, 'servce: there is no such key. Did you mean "service"?'),
        ({"service__Listen": "x"}, 'service.Listen: there is no such key. Did you mean "listen"?'),
        ({"service__colour": 1}, "service.colour: there is no such key. This table takes listen, "),
        (
            {"sync__acme__leavers": "keep"},
            "sync.acme.leavers: there is no such key here. It belongs in [sync.NAME.policy]",
        ),
        ({"source__hr__memebers": "x"}, 'source.hr.memebers: there is no such key. Did you mean "members"?'),
        ({"source__ad__basedn": "x"}, 'source.ad.basedn: there is no such key. Did you mean "base_dn"?'),
        (
            {"sync__acme__limits": {"member_remove": {"percnt": 5}}},
            'sync.acme.limits.member_remove.percnt: there is no such key. Did you mean "percent"?',
        ),
        (
            {"corp__acme__app": {"agent_id": 1, "secret": "env:CONTACT", "calback": {}}},
            'corp.acme.app.calback: there is no such key. Did you mean "callback"?',
        ),
        ({"mirror": REMOVED}, "mirror: is required"),
        ({"mirror": "sqlite:///m.db"}, "mirror: must be a table"),
        ({"mirror__url": "nonsense"}, "mirror.url: is not a database URL such as"),
        ({"mirror__url": "sqlite://"}, "mirror.url: names no file"),
        ({"mirror__url": "oracle://h/x"}, 'mirror.url: the database "oracle" is not supported'),
        ({"source__hr__url": "db2://h/x"}, 'source.hr.url: the database "db2" is not supported'),
        ({"source__hr__url": "postgres://h/x"}, 'Did you mean "postgresql://"?'),
        ({"source__hr__url": "postgresql+asyncpg://h/x"}, 'the driver "asyncpg" is not supported'),
        ({"source__hr__url": "postgresql://h/x?password=abc"}, "source.hr.url: must not hold a password"),
        (
            {"source__hr__type": "sqll"},
            'source.hr.type: is "sqll", but must be "sql" or "ldap" or "file". Did you mean',
        ),
        ({"source__hr__type": REMOVED}, 'source.hr.type: is required: "sql", "ldap" or "file"'),
        ({"source__hr__departments": REMOVED}, "source.hr.departments: is required: hr is the first source"),
        ({"source__hr__members": " ; "}, "source.hr.members: is empty"),
        ({"source__ad__url": "https://x"}, "source.ad.url[0]: is not a directory's address"),
        ({"source__ad__url": []}, "source.ad.url: must name at least one"),
        ({"source__ad__ca_file": "none.pem"}, "source.ad.ca_file: there is no file"),
        ({"source__ad__page_size": 0}, "source.ad.page_size: must be 1 or more"),
        ({"source__ad__bind_dn": "cn=x"}, "source.ad: bind_dn and bind_password go together"),
        ({"source__ad__start_tls": "yes"}, "source.ad.start_tls: must be true or false"),
        ({"sync__acme__sources": ["hr", "sap"]}, "sync.acme.sources[1]: there is no table [source.sap]"),
        ({"sync__acme__sources": ["hr", "hr"]}, 'sync.acme.sources: names "hr" twice'),
        ({"sync__acme__sources": []}, "sync.acme.sources: must name at least one"),
        ({"sync__acme__sources": "hr"}, "sync.acme.sources: must be a list, in square brackets"),
        ({"sync__acme__root_department": 0}, "sync.acme.root_department: must be 1 or more"),
        ({"sync__acme__root_department": "1"}, "sync.acme.root_department: must be a whole number"),
        ({"sync__acme__time_zone": "Asia/Shanghia"}, 'Did you mean "Asia/Shanghai"?'),
        ({"sync__acme__time_zone": "../etc/passwd"}, "is no IANA time zone"),
        ({"sync__acme__time_zone": "Asia"}, "is no IANA time zone"),
        ({"sync__acme__department__key": ""}, "sync.acme.department.key: is empty"),
        (
            {"sync__acme__department__order": 5},
            "sync.acme.department.order: is an expression: write it as text",
        ),
        ({"sync__acme__tags": {"A b": "x ="}}, 'sync.acme.tags."A b": column 3: unexpected "="'),
        ({"sync__acme__member__extattr": {"工号": "x |"}}, "sync.acme.member.extattr.工号: column 4"),
        ({"sync__acme__policy__adopt": REMOVED}, "sync.acme.policy.adopt: is required"),
        ({"sync__acme__policy__adopt": ["phone"]}, 'sync.acme.policy.adopt[0]: is "phone", but must be'),
        ({"sync__acme__policy__adopt": ["email", "email"]}, "sync.acme.policy.adopt: names something twice"),
        ({"sync__acme__policy__delete_after_days": 0}, "delete_after_days: must be 1 or more"),
        (
            {"sync__acme__policy__leavers": "keep", "sync__acme__policy__delete_after_days": 30},
            'sync.acme.policy.delete_after_days: works only with leavers = "disable"',
        ),
        ({"sync__acme__policy__adopt_departments": {"D1": 0}}, "adopt_departments.D1: must be 1 or more"),
        ({"sync__acme__policy__adopt_departments": {"D1": 1}}, "adopt_departments.D1: 1 is root_department"),
        ({"sync__acme__policy__adopt_departments": {"a": 2, "b": 2}}, '"a" and "b" both name department 2'),
        ({"sync__acme__policy__protect": ["老板"]}, "sync.acme.policy.protect[0]: can match no userid"),
        ({"sync__acme__policy__clear_when_empty": ["name"]}, 'clear_when_empty: "name" cannot be cleared'),
        ({"sync__acme__limits": {"member_remove": {"percent": 101}}}, "percent: must be 100 or less"),
        ({"sync__acme__limits": {"department_delete": -1}}, "department_delete.max: must be 0 or more"),
        ({"service__listen": "8080"}, "service.listen: is not host:port"),
        ({"service__listen": "0.0.0.0:99999"}, "service.listen: is not host:port"),
        ({"service__language": "de"}, 'service.language: is "de", but must be "zh" or "en"'),
        ({"corp__acme__corp_id": " "}, "corp.acme.corp_id: is empty"),
        ({"corp__acme__base_url": "https://q.example/cgi-bin/"}, "base_url: must be without /cgi-bin"),
        ({"corp__acme__base_url": "qyapi.weixin.qq.com"}, "base_url: is not a web address"),
        ({"corp__acme__proxy": "proxy:3128"}, 'corp.acme.proxy: is neither "env" nor'),
        ({"corp__acme__ca_file": "none.pem"}, "corp.acme.ca_file: there is no file"),
        ({"corp__acme__concurrency": 0}, "corp.acme.concurrency: must be 1 or more"),
        ({"corp__acme__concurrency": 21}, "corp.acme.concurrency: must be 20 or less"),
        ({"corp__acme__account_cap": 0}, "corp.acme.account_cap: must be 1 or more"),
        ({"corp__acme__callback": {"token": "t", "encoding_aes_key": "short"}}, "is not an EncodingAESKey"),
        (
            {"corp__acme__app": {"agent_id": 1, "secret": ENVIRONMENT["CONTACT"]}},
            "corp.acme.app: secret is the same as contact_secret",
        ),
        ({"corp__a b": {"corp_id": "x", "contact_secret": "env:CONTACT"}}, 'corp."a b": is no name'),
    ],
)
def test_each_fault_says_where_and_what(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    """One fault makes one problem that begins with its path."""
    found = problems(tmp_path, changed(**changes))
    assert len(found) == 1
    assert problem in found[0]
    assert ENVIRONMENT["CONTACT"] not in found[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mirror__url", "sqlite+nothing://u:hush-hush@h/x"),
        ("source__hr__url", "postgresql://u:hush-hush@h:port/x"),
        ("source__hr__url", "hush-hush"),
        ("source__hr__url", "db2://u:hush-hush@h/x"),
        ("corp__acme__callback", {"token": "hush-hush", "encoding_aes_key": "hush-hush"}),
        ("corp__acme__contact_secret", "envv:hush-hush"),
        ("corp__acme__base_url", "https://u:hush-hush@h"),
        ("corp__acme__proxy", "socks5://u:hush-hush@h:1"),
    ],
)
def test_no_problem_shows_a_secret(tmp_path: Path, key: str, value: object) -> None:
    """However a secret is mistaken, the error does not show it."""
    assert "hush-hush" not in "\n".join(problems(tmp_path, changed(**{key: value})))


@pytest.mark.parametrize(
    "nonsense",
    [
        {"sync": 3},
        {"sync__acme": 3},
        {"corp": []},
        {"source__hr": "x"},
        {"sync__acme__sources": [[]]},
        {"sync__acme__policy": "x", "source": 7},
    ],
)
def test_nonsense_in_the_place_of_tables_is_told(tmp_path: Path, nonsense: dict[str, Any]) -> None:
    """References are checked also where tables are faulty, and nothing crashes."""
    assert problems(tmp_path, changed(**nonsense))


PLACES = (
    "mirror corp__acme source__hr source__hr__type sync__acme sync__acme__sources sync__acme__member "
    "sync__acme__policy sync__acme__limits sync__acme__policy__adopt_departments sync__acme__tags "
    "source__ad__url"
).split()

scalars = st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), nested)
def test_any_data_loads_or_is_told(tmp_path: Path, place: str, value: Any) -> None:
    """Whatever stands in the file, it is settings or a ConfigError with a path in every problem."""
    found: tuple[str, ...] = ()
    try:
        load(tmp_path, changed(**{place: value}))
    except ConfigError as error:
        found = error.problems
    assert all(": " in problem for problem in found)


def test_unknown_reading_of_a_file_is_told(tmp_path: Path) -> None:
    """Not TOML: line and column; not UTF-8: the line; a directory: why not."""
    path = tmp_path / "wxsync.toml"
    path.write_text("[mirror]\nurl = sqlite\n")
    with pytest.raises(ConfigError, match=r"is not TOML: .*line 2, column 7"):
        load_settings(path, environment={})
    path.write_text("[a]\nx = 1\nx = 2\n")
    with pytest.raises(ConfigError, match=r"is not TOML: Cannot overwrite a value .*line 3"):
        load_settings(path, environment={})
    path.write_bytes("[mirror]\n# 公司".encode("gbk"))
    with pytest.raises(ConfigError, match="is not UTF-8 text: line 2"):
        load_settings(path, environment={})
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings(tmp_path, environment={})
    with pytest.raises(ConfigError, match=r"there is no .*gone.toml"):
        load_settings(tmp_path / "gone.toml", environment={})


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """A file saved by a Windows editor loads."""
    path = tmp_path / "wxsync.toml"
    path.write_bytes(b"\xef\xbb\xbf" + to_toml(changed()).replace("\n", "\r\n").encode())
    assert load_settings(path, environment=ENVIRONMENT).settings.corp["acme"].corp_id


def test_the_order_in_which_a_config_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config, else $WXSYNC_CONFIG, else ./wxsync.toml, else the system's."""
    monkeypatch.chdir(tmp_path)
    given_one, named, here = (tmp_path / name for name in ("given.toml", "named.toml", "wxsync.toml"))
    for path in (given_one, named, here):
        path.touch()
    environment = {"WXSYNC_CONFIG": str(named)}
    assert find_config(given_one, environment=environment) == given_one
    assert find_config(None, environment=environment) == named
    assert find_config(None, environment={}).absolute() == here
    assert find_config(None, environment={"WXSYNC_CONFIG": ""}).absolute() == here


def test_a_missing_config_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names every place; one that was named is never passed over."""
    monkeypatch.chdir(tmp_path)
    assert Path("/etc/wxsync/config.toml") == loader.OF_SYSTEM
    monkeypatch.setattr(loader, "OF_SYSTEM", tmp_path / "etc/config.toml")  # this machine may have a wxsync
    with pytest.raises(ConfigError) as caught:
        find_config(None, environment={})
    assert str(tmp_path / "wxsync.toml") in caught.value.message
    assert str(tmp_path / "etc/config.toml") in caught.value.message
    (tmp_path / "wxsync.toml").touch()
    with pytest.raises(ConfigError, match="given by --config"):
        find_config(tmp_path / "x.toml", environment={})
    with pytest.raises(ConfigError, match=r"named by \$WXSYNC_CONFIG"):
        find_config(None, environment={"WXSYNC_CONFIG": str(tmp_path / "x.toml")})


def test_a_literal_secret_in_a_readable_file_is_a_warning(tmp_path: Path) -> None:
    """Each secret that is written out is named, where others may read the file; it still works."""
    path = tmp_path / "wxsync.toml"
    path.write_text(
        to_toml(
            changed(
                corp__acme__contact_secret="wr1tten-out",
                source__hr__url="postgresql://u:1n-the-url@h/db",
                source__ad__bind_dn="cn=reader",
                source__ad__bind_password="env:CONTACT",
            )
        )
    )
    path.chmod(0o644)
    loaded = load_settings(path, environment=ENVIRONMENT)
    assert [warning.split(":")[0] for warning in loaded.warnings] == [
        "corp.acme.contact_secret",
        "source.hr.url",
    ]
    assert loaded.settings.corp["acme"].contact_secret.get_secret_value() == "wr1tten-out"
    shown = repr(loaded) + str(loaded.settings.model_dump())
    assert "wr1tten-out" not in shown
    assert "1n-the-url" not in shown
    path.chmod(0o640)
    assert load_settings(path, environment=ENVIRONMENT).warnings == ()


def test_files_are_relative_to_the_config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite files, certificates and secret files are looked for beside the config, not where one stands."""
    monkeypatch.chdir("/")
    (tmp_path / "ca.pem").touch()
    (tmp_path / "contact").write_text("from-file\n")
    settings_ = load(
        tmp_path,
        changed(
            corp__acme__ca_file="ca.pem",
            corp__acme__contact_secret="file:contact",
            source__hr__url="sqlite:///sub/../hr 1.db",
        ),
    ).settings
    assert settings_.corp["acme"].ca_file == tmp_path / "ca.pem"
    assert settings_.corp["acme"].contact_secret.get_secret_value() == "from-file"
    source = settings_.source["hr"]
    assert source.type == "sql"
    assert source.full_url.database == f"{tmp_path}/sub/../hr 1.db"


def test_a_directory_as_authority_brings_its_own_mapping(tmp_path: Path) -> None:
    """Where an LDAP source comes first, key, parent, ref and departments need not be said."""
    settings_ = load(
        tmp_path,
        changed(
            sync__acme__sources=["ad"],
            sync__acme__department={"name": "ou"},
            sync__acme__member={"userid": "uid", "name": "cn", "departments": "col('x')"},
        ),
    ).settings
    sync = settings_.sync["acme"]
    assert sync.department.parent.source == "parent_dn"
    assert sync.department.ref is not None
    assert sync.department.ref.source == "dn"
    assert sync.member.key.names == {"entryUUID", "objectGUID"}
    assert sync.member.departments is not None
    assert sync.member.departments.source == "col('x')"


@pytest.mark.parametrize(("roots", "at_fault"), [((None, 1), True), ((7, 7), True), ((7, 8), False)])
def test_syncs_of_one_corp_have_different_roots(
    tmp_path: Path, roots: tuple[int | None, int], at_fault: bool
) -> None:
    """Of two under one department each would find the other's departments in its own tree."""
    first, second = roots
    data = changed()
    if first is not None:
        data["sync"]["acme"]["root_department"] = first
    data["sync"]["branch"] = {**data["sync"]["acme"], "root_department": second}
    data["corp"]["other"] = dict(data["corp"]["acme"])
    data["sync"]["elsewhere"] = {**data["sync"]["acme"], "corp": "other"}
    if at_fault:
        why = "is that of sync acme too, which feeds the same corp: give each its own"
        assert problems(tmp_path, data) == (f"sync.branch.root_department: {second} {why}",)
    else:
        assert set(load(tmp_path, data).settings.sync) == {"acme", "branch", "elsewhere"}


def test_only_a_sync_that_owns_the_whole_corp_replaces_it(tmp_path: Path) -> None:
    """Beside another sync, or below another department, it would delete what is not its own."""
    data = changed(sync__acme__policy__replace=True, sync__acme__policy__exclusive=True)
    assert load(tmp_path, data).settings.sync["acme"].policy.replace
    data["sync"]["acme"]["root_department"] = 7
    data["sync"]["branch"] = {
        **data["sync"]["acme"],
        "root_department": 8,
        "policy": changed()["sync"]["acme"]["policy"],
    }
    assert problems(tmp_path, data) == (
        "sync.acme.policy.replace: replaces the whole corp, which sync branch feeds too: leave it out",
        "sync.acme.policy.replace: replaces the whole corp, of which root_department is a part: leave it out",
    )
