"""Secrets by reference: where they come from, and a type that keeps them out of sight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hmac import compare_digest
from pathlib import Path
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from wxsync.errors import SecretError

MASK: Final = "**********"
LARGEST_FILE: Final = 65536
"""Bytes; whatever is larger is no secret but a mistaken path."""

LITERAL: Final = "literal"
IN_URL: Final = "url"


class Secret:
    """A secret text that no repr, str, dump or error shows; `get_secret_value()` gives it.

    `origin` says where it came from: "literal", "url", or the reference ("env:NAME", …).
    """

    __slots__ = ("_origin", "_value")

    def __init__(self, value: str, origin: str = LITERAL) -> None:
        self._value = value
        self._origin = origin

    def get_secret_value(self) -> str:
        return self._value

    @property
    def origin(self) -> str:
        return self._origin

    @property
    def is_written_out(self) -> bool:
        """The config file itself holds it."""
        return self._origin in (LITERAL, IN_URL)

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validated, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a config file is read in: the directory that it stands in, and the environment."""

    directory: Path
    environment: Mapping[str, str]

    def place(self, path: str | Path) -> Path:
        """The path, taken from the config file's directory where it is relative."""
        return self.directory / path


def resolve(reference: str, around: Surroundings) -> Secret:
    """The secret that `env:NAME`, `file:PATH`, `credential:NAME` or the text itself stands for.

    Raises SecretError where it cannot be had or is empty; the text of the error holds no secret.
    """
    kind, colon, rest = reference.partition(":")
    if colon and kind in _KINDS:
        if not rest:
            raise SecretError(f'"{kind}:" names nothing')
        return Secret(_KINDS[kind](rest, around), reference)
    if colon and (meant := get_close_matches(kind.lower(), _KINDS, n=1, cutoff=0.7)):
        raise SecretError(f'is no reference that wxsync knows. Did you mean "{meant[0]}:…"?')
    if not reference:
        raise SecretError("is empty")
    return Secret(reference)


def _from_environment(name: str, around: Surroundings) -> str:
    value = around.environment.get(name)
    if value is None:
        raise SecretError(f"the environment variable {name} is not set")
    if not value:
        raise SecretError(f"the environment variable {name} is empty")
    return value


def _from_file(path: str, around: Surroundings) -> str:
    return _content(around.place(path))


def _from_credential(name: str, around: Surroundings) -> str:
    directory = around.environment.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise SecretError(
            f"the credential {name} cannot be read: $CREDENTIALS_DIRECTORY is not set. "
            f"Start wxsync by systemd with LoadCredential={name}:PATH"
        )
    if "/" in name or name in (".", ".."):
        raise SecretError(f"{name} is no name of a credential: it must not hold a slash")
    return _content(Path(directory) / name)


_KINDS: Final[Mapping[str, Callable[[str, Surroundings], str]]] = {
    "env": _from_environment,
    "file": _from_file,
    "credential": _from_credential,
}


def _content(path: Path) -> str:
    """The text of a secret's file without its last newline, which editors put there."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SecretError(f"the file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SecretError(f"{str(path)!r} is no path of a file") from error
    if len(content) > LARGEST_FILE:
        raise SecretError(f"the file {path} is larger than {LARGEST_FILE} bytes: it is no secret")
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # "from None": the decoder's error carries the bytes, which are the secret.
        raise SecretError(f"the file {path} is not UTF-8 text") from None
    if not text:
        raise SecretError(f"the file {path} is empty")
    return text


def _validated(value: object, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError("is a secret: write it as text, in quotes")
    if not isinstance(info.context, Surroundings):
        return Secret(value)
    try:
        return resolve(value, info.context)
    except SecretError as error:
        raise ValueError(error.message) from None
