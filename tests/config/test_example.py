"""config.example.toml: every key, each explained, and valid as it stands."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from wxsync.config.loader import load_settings
from wxsync.config.shape import PLACEHOLDER, tables

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
SWITCHED_OFF = re.compile(r"^#(?=[\w\[\"])", re.MULTILINE)

ENVIRONMENT = {
    "WXSYNC_CONTACT_SECRET": "x",
    "WXSYNC_APP_SECRET": "y",
    "WXSYNC_MIRROR_PASSWORD": "x",
    "WXSYNC_HR_PASSWORD": "x",
    "WXSYNC_AD_PASSWORD": "x",
    "WXSYNC_GROUP_WEBHOOK": "key",
    "WXSYNC_SMTP_PASSWORD": "x",
    "WXSYNC_HOOK_URL": "https://hook.example.com/",
    "WXSYNC_HOOK_SECRET": "sixteen characters",
    "WXSYNC_CALLBACK_TOKEN": "t",
    "WXSYNC_CALLBACK_AES_KEY": "a" * 43,
    "WXSYNC_OLD_CALLBACK_TOKEN": "t0",
    "WXSYNC_OLD_CALLBACK_AES_KEY": "c" * 43,
    "WXSYNC_APP_OLD_TOKEN": "t1",
    "WXSYNC_APP_OLD_AES_KEY": "d" * 43,
    "WXSYNC_APP_CALLBACK_TOKEN": "t",
    "WXSYNC_APP_CALLBACK_AES_KEY": "b" * 43,
}


def switched_on() -> str:
    """The example with every setting in use."""
    return SWITCHED_OFF.sub("", EXAMPLE.read_text(encoding="utf-8"))


def test_the_example_loads_as_it_stands(tmp_path: Path) -> None:
    """Copied and given its one secret, it is a valid config without a warning."""
    path = tmp_path / "wxsync.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    loaded = load_settings(path, environment={"WXSYNC_CONTACT_SECRET": "x"})
    assert loaded.warnings == ()
    assert list(loaded.settings.sync) == ["acme"]


def test_the_example_loads_with_everything_switched_on(tmp_path: Path) -> None:
    """What is switched off is valid too."""
    path = tmp_path / "wxsync.toml"
    path.write_text(switched_on(), encoding="utf-8")
    (tmp_path / "ca.pem").touch()
    settings = load_settings(path, environment=ENVIRONMENT).settings
    assert set(settings.source) == {"hr", "ad", "export"}
    assert settings.corp["acme"].app is not None
    assert settings.corp["acme"].app.callback is not None


def test_the_example_writes_nothing_by_itself(tmp_path: Path) -> None:
    """Whoever forgets to read it gets a report, and no change in WeCom."""
    assert tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["sync"]["acme"]["mode"] == "plan"


KEYS = [
    (path, key)
    for path, table in tables()
    for key in table.model_fields
    if not path.startswith("sync.NAME.limits.")
]


@pytest.mark.parametrize(("path", "key"), KEYS)
def test_every_key_is_in_the_example(path: str, key: str) -> None:
    """A key that the settings know is in its table of the example."""
    found: list[Any] = [tomllib.loads(switched_on())]
    for part in path.split(".") if path else ():
        found = [
            inner
            for outer in found
            for name, inner in outer.items()
            if isinstance(inner, dict) and (part in (name, PLACEHOLDER))
        ]
    assert any(key in table for table in found)


def test_every_setting_has_its_line_of_explanation() -> None:
    """Above each key stands a comment that explains it, once."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    named = {"工号", "经理"}
    for above, line in pairwise(lines):
        key = re.match(r"#?(\"?[\w]+\"?) = ", line)
        if key and key[1].strip('"') not in named:
            assert above.startswith("# "), line
