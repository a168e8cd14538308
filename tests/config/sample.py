"""A small valid config as data, to be changed by tests, and as TOML."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wxsync.config.loader import Loaded, load_settings

SAMPLE: Mapping[str, Any] = {
    "mirror": {"url": "sqlite:///mirror.db"},
    "corp": {"acme": {"corp_id": "ww1234567890abcdef", "contact_secret": "env:CONTACT"}},
    "source": {
        "hr": {
            "type": "sql",
            "url": "sqlite:///hr.db",
            "departments": "SELECT * FROM departments",
            "members": "SELECT * FROM employees",
        },
        "ad": {
            "type": "ldap",
            "url": "ldaps://dc1.example.com",
            "base_dn": "DC=example,DC=com",
            "departments": "(objectClass=organizationalUnit)",
            "members": "(objectClass=user)",
        },
    },
    "sync": {
        "acme": {
            "corp": "acme",
            "sources": ["hr"],
            "mode": "plan",
            "department": {"key": "code", "parent": "parent_code", "name": "name"},
            "member": {"key": "emp_no", "userid": "emp_no | lower", "name": "full_name"},
            "policy": {"leavers": "disable", "empty_departments": "keep", "adopt": ["userid"]},
        }
    },
}

ENVIRONMENT: Mapping[str, str] = {"CONTACT": "c0ntact-s3cret"}
REMOVED = object()


def changed(**changes: Any) -> dict[str, Any]:
    """The sample with values put at dotted paths (`__` for the dot); REMOVED takes a key out."""
    data = copy.deepcopy(dict(SAMPLE))
    for path, value in changes.items():
        *tables, key = path.split("__")
        table = data
        for name in tables:
            table = table.setdefault(name, {})
        if value is REMOVED:
            del table[key]
        else:
            table[key] = value
    return data


def to_toml(data: Mapping[str, Any]) -> str:
    """TOML for data of tables, lists, texts, numbers and booleans."""
    return "\n".join(f"{json.dumps(key)} = {_value(value)}" for key, value in data.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def load(directory: Path, data: Mapping[str, Any], **environment: str) -> Loaded:
    """The data written as wxsync.toml into the directory, and loaded."""
    path = directory / "wxsync.toml"
    path.write_text(to_toml(data), encoding="utf-8")
    path.chmod(0o600)
    return load_settings(path, environment={**ENVIRONMENT, **environment})
