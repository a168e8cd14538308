"""The config file found, read and checked: all of its problems at once."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from wxsync.config.checks import check_references, with_ldap_defaults
from wxsync.config.problems import Problem, dotted, problems_of
from wxsync.config.secrets import IN_URL, Secret, Surroundings
from wxsync.config.settings import Settings
from wxsync.errors import ConfigError

VARIABLE: Final = "WXSYNC_CONFIG"
IN_DIRECTORY: Final = Path("wxsync.toml")
OF_SYSTEM: Final = Path("/etc/wxsync/config.toml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings of a config file, and what its owner should know."""

    settings: Settings
    warnings: tuple[str, ...]
    path: Path


def find_config(explicit: Path | None, *, environment: Mapping[str, str] = os.environ) -> Path:
    """The config file: the one given, else $WXSYNC_CONFIG, ./wxsync.toml, /etc/wxsync/config.toml.

    Raises ConfigError saying where it looked. One that was named is never passed over.
    """
    if explicit is not None:
        return _existing(explicit, "given by --config")
    if named := environment.get(VARIABLE):
        return _existing(Path(named), f"named by ${VARIABLE}")
    for path in (IN_DIRECTORY, OF_SYSTEM):
        if _is_there(path):
            return path
    looked = f"--config (not given), ${VARIABLE} (not set), {IN_DIRECTORY.absolute()} and {OF_SYSTEM}"
    raise ConfigError(
        [f"no config file: looked at {looked}"],
        hint="Name one with --config PATH, or start from config.example.toml",
    )


def load_settings(path: Path, *, environment: Mapping[str, str] = os.environ) -> Loaded:
    """The settings in the file, with secrets resolved and paths absolute.

    Raises ConfigError with every problem, each with its path in the file.
    """
    data = with_ldap_defaults(_parsed(_text(path), path))
    around = Surroundings(path.absolute().parent, environment)
    references = list(check_references(data))
    try:
        settings = Settings.model_validate(data, context=around)
    except ValidationError as error:
        # "from None": pydantic's error carries the input, secrets included.
        raise _faulty([*problems_of(error, data), *references], path) from None
    if references:
        raise _faulty(references, path)
    return Loaded(settings, tuple(_warnings(settings, path)), path)


def secrets_of(settings: Settings) -> frozenset[str]:
    """All secret texts of the settings, for whoever must keep them out of something."""
    return frozenset(secret.get_secret_value() for _, secret in _secrets(settings, ()))


def _existing(path: Path, how: str) -> Path:
    if not _is_there(path):
        raise ConfigError(
            [f"no config file: there is no {path.absolute()}, which was {how}"],
            hint="Correct the path, or start from config.example.toml",
        )
    return path


def _is_there(path: Path) -> bool:
    """There is something, be it readable or not: what cannot be read is told, not passed over."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _text(path: Path) -> str:
    try:
        # "-sig": Windows editors put a byte order mark in front.
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([f"no config file: there is no {path.absolute()}"]) from None
    except OSError as error:
        raise ConfigError([f"{path} cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path} is not UTF-8 text: line {line}"]) from None


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            [f"{path} is not TOML: {error}"], hint="Text stands in double quotes, tables in [brackets]"
        ) from None
    except RecursionError:
        raise ConfigError([f"{path} is not TOML: it is nested too deeply"]) from None


def _faulty(problems: list[Problem], path: Path) -> ConfigError:
    return ConfigError([str(problem) for problem in problems], hint=f"The config file is {path.absolute()}")


def _warnings(settings: Settings, path: Path) -> Iterator[str]:
    """A secret that stands in a file which anybody on the machine may read."""
    if not path.stat().st_mode & stat.S_IROTH:
        return
    for place, secret in _secrets(settings, ()):
        if secret.is_written_out:
            where = (*place[:-1], "url") if secret.origin == IN_URL else place
            yield (
                f"{dotted(where)}: the secret is written out in a file that others can read. "
                f'Run chmod o-r {path}, or write "env:NAME" or "file:PATH" instead'
            )


def _secrets(value: object, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Secret]]:
    if isinstance(value, Secret):
        yield place, value
    elif isinstance(value, BaseModel):
        for name, inner in value:
            yield from _secrets(inner, (*place, name))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _secrets(inner, (*place, name))
