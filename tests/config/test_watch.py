"""`watch` is a key of directories; the other kinds of source say why it is none of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.sample import changed, load
from wxsync.errors import ConfigError


def problem(directory: Path, **changes: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(directory, changed(**changes))
    (told,) = caught.value.problems
    return told


def test_it_is_off_by_default(tmp_path: Path) -> None:
    """Nobody is asked between two readings unless the config says so."""
    for given, meant in (({}, False), ({"source__ad__watch": True}, True)):
        directory = load(tmp_path, changed(**given)).settings.source["ad"]
        assert directory.type == "ldap"
        assert directory.watch is meant


@pytest.mark.parametrize("switch", [True, False])
def test_a_database_cannot_be_watched(tmp_path: Path, switch: bool) -> None:
    """Whatever the key says there: it says nothing."""
    assert problem(tmp_path, source__hr__watch=switch) == (
        "source.hr.watch: is for directories: a database does not tell what has changed since a moment."
        " It is read whenever the schedule says so"
    )


def test_files_cannot_be_watched(tmp_path: Path) -> None:
    """Nor can they."""
    files = {"type": "file", "members": "people.csv", "watch": True}
    assert problem(tmp_path, source__export=files).startswith(
        "source.export.watch: is for directories: files"
    )


def test_it_is_a_switch(tmp_path: Path) -> None:
    """And no interval."""
    assert problem(tmp_path, source__ad__watch=60) == "source.ad.watch: must be true or false"
