"""The table of calls, by which hostile answers are tried on all of them, leaves nothing out."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest

import wxsync.wecom
from tests.wecom.families import CASES, FAMILIES
from wxsync.wecom.auth import TokenStore
from wxsync.wecom.calls import Reads
from wxsync.wecom.crossing import Crossing
from wxsync.wecom.download import Download
from wxsync.wecom.gate import Gate, Hold
from wxsync.wecom.outlet import Body, Environment, Outlet
from wxsync.wecom.quota import Quota
from wxsync.wecom.sockets import Sockets, Stream
from wxsync.wecom.transport import Transport

BELOW = {
    *(TokenStore, Crossing, Download, Gate, Hold, Quota, Transport),
    *(Outlet, Environment, Body, Sockets, Stream),
}
"""What the families stand on: every call of theirs goes through it."""
ABOVE = {Reads}
"""What stands on the families: `tests/wecom/test_calls.py` has each of its calls."""


def asynchronous_classes() -> set[type]:
    """Every class of the room that has something public to await."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(wxsync.wecom.__path__, "wxsync.wecom.")
    ]
    return {
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if each.__module__ == module.__name__ and public_calls(each)
    }


def public_calls(family: type) -> set[str]:
    """What may be awaited or listed; a plain method that hands on an awaitable is one too."""
    return {
        name
        for name, method in inspect.getmembers(family, inspect.isfunction)
        if not name.startswith("_") and is_asynchronous(method)
    }


def is_asynchronous(method: object) -> bool:
    told = str(getattr(method, "__annotations__", {}).get("return", ""))
    return (
        inspect.iscoroutinefunction(method)
        or inspect.isasyncgenfunction(method)
        or told.startswith(("Awaitable", "Coroutine", "AsyncIterator"))
    )


def test_every_family_is_in_the_table():
    """Whoever adds a class that calls WeCom adds it to FAMILIES."""
    assert asynchronous_classes() == {*FAMILIES, *BELOW, *ABOVE}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_call_names_its_page(family):
    """Whoever doubts what a method says can look it up at WeCom."""
    told = {name: inspect.getdoc(getattr(family, name)) or "" for name in public_calls(family)}
    assert [name for name, text in told.items() if not re.search(r"WeCom pages? [0-9]{5}", text)] == []


def test_every_call_of_every_family_is_in_the_table():
    """Each public method of each family has a case, and no case is of what is not there."""
    wanted = {(family, name) for family in FAMILIES for name in public_calls(family)}
    assert {(case.family, case.method) for case in CASES} == wanted
    assert len(wanted) >= 70
