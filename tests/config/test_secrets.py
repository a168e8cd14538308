"""Secrets by reference, and a type that never shows them."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from wxsync.config.secrets import MASK, Secret, Surroundings, resolve
from wxsync.config.table import Table
from wxsync.errors import SecretError

TEXT = "v3ry-s3cret"


class Holder(Table):
    """A table with a secret."""

    secret: Secret
    number: int = 1


def around(tmp_path: Path, **environment: str) -> Surroundings:
    return Surroundings(tmp_path, environment)


def test_environment(tmp_path: Path) -> None:
    """env:NAME is the variable's text, as it is."""
    secret = resolve("env:NAME", around(tmp_path, NAME=f" {TEXT}\n"))
    assert secret.get_secret_value() == f" {TEXT}\n"
    assert secret.origin == "env:NAME"
    assert not secret.is_written_out


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b" a b ", " a b "),
        ("密码\n".encode(), "密码"),
    ],
)
def test_file_loses_its_last_newline_alone(tmp_path: Path, content: bytes, text: str) -> None:
    """file:PATH is the file's text without the newline that editors add."""
    (tmp_path / "s").write_bytes(content)
    assert resolve("file:s", around(tmp_path)).get_secret_value() == text
    assert resolve(f"file:{tmp_path}/s", around(Path("/nowhere"))).get_secret_value() == text


def test_credential(tmp_path: Path) -> None:
    """credential:NAME is systemd's file of that name."""
    (tmp_path / "wecom").write_text(f"{TEXT}\n")
    found = resolve("credential:wecom", around(Path("/nowhere"), CREDENTIALS_DIRECTORY=str(tmp_path)))
    assert found.get_secret_value() == TEXT


def test_literal(tmp_path: Path) -> None:
    """Any other text is the secret itself, colons and all."""
    for text in (TEXT, "a:b", "https://x", "密:码"):
        secret = resolve(text, around(tmp_path))
        assert secret.get_secret_value() == text
        assert secret.is_written_out


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("env:UNSET", "the environment variable UNSET is not set"),
        ("env:EMPTY", "the environment variable EMPTY is empty"),
        ("env:", '"env:" names nothing'),
        ("file:", '"file:" names nothing'),
        ("file:missing", "/missing cannot be read: No such file or directory"),
        ("file:directory", "/directory cannot be read: Is a directory"),
        ("file:empty", "/empty is empty"),
        ("file:newline", "/newline is empty"),
        ("file:binary", "/binary is not UTF-8 text"),
        ("file:huge", "/huge is larger than 65536 bytes"),
        ("file:a\0b", "is no path of a file"),
        ("credential:x", "$CREDENTIALS_DIRECTORY is not set"),
        ("credntial:x", 'Did you mean "credential:…"?'),
        ("ENV:X", 'Did you mean "env:…"?'),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_had_says_why(tmp_path: Path, reference: str, problem: str) -> None:
    """Unset, unreadable, empty and mistyped each have their own words."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "newline").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + TEXT.encode())
    (tmp_path / "huge").write_bytes(b"x" * 70_000)
    with pytest.raises(SecretError) as caught:
        resolve(reference, around(tmp_path, EMPTY=""))
    assert problem in caught.value.message
    assert TEXT not in repr(caught.value.__cause__)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root, who may read everything, is somebody else for a while."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_unreadable_file_says_so(tmp_path: Path) -> None:
    """A file without the right to read it is a clear problem."""
    (tmp_path / "s").write_text(TEXT)
    (tmp_path / "s").chmod(0)
    with unprivileged(), pytest.raises(SecretError, match="Permission denied"):
        resolve("file:s", around(tmp_path))


def test_credential_stays_in_its_directory(tmp_path: Path) -> None:
    """A credential's name is no path."""
    for name in ("../s", "a/b", ".."):
        with pytest.raises(SecretError, match="no name of a credential"):
            resolve(f"credential:{name}", around(tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path)))


def test_a_secret_never_shows_itself() -> None:
    """No repr, str, format, dump or error of a secret or its table holds the text."""
    secret = Secret(TEXT)
    holder = Holder(secret=secret)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        repr(holder),
        str(holder),
        str(holder.model_dump()),
        holder.model_dump_json(),
        str(holder.model_dump(mode="json")),
        repr({"x": [holder]}),
        str(secret.__reduce_ex__(2)[0]),
    ]
    assert not [text for text in shown if TEXT in text]
    assert holder.model_dump()["secret"] == MASK
    with pytest.raises(ValidationError) as caught:
        Holder.model_validate({"secret": TEXT, "number": TEXT, "other": TEXT})
    assert TEXT not in str(caught.value)


def test_a_secret_is_compared_and_copied_by_its_text() -> None:
    """Two secrets of one text are equal; a secret equals no plain text."""
    assert Secret(TEXT) == Secret(TEXT, "env:X")
    assert hash(Secret(TEXT)) == hash(Secret(TEXT))
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT
    assert Secret("密码") == Secret("密码")
    assert copy.deepcopy(Secret(TEXT)) == Secret(TEXT)
    assert pickle.loads(pickle.dumps(Secret(TEXT))) == Secret(TEXT)


def test_a_secret_is_text() -> None:
    """A number in the place of a secret is a fault."""
    with pytest.raises(ValidationError, match="write it as text, in quotes"):
        Holder.model_validate({"secret": 12345})
