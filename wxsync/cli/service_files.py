"""systemd's files as they ship, fitted to one installation, and where they belong."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import wxsync
from wxsync.config.loader import OF_SYSTEM
from wxsync.errors import WxsyncError

SHIPPED_USER: Final = "wxsync"
SHIPPED_PROGRAM: Final = Path("/usr/bin/wxsync")
READABLE: Final = 0o644
OF_GROUP: Final = 0o640
MIRROR: Final = 'url = "sqlite:///mirror.db"'
MIRROR_OF_SERVICE: Final = 'url = "sqlite:////var/lib/wxsync/mirror.db"'
"""Beside the config the service may not write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What the files are fitted to."""

    program: Path
    config: Path
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A file, and where it belongs in the system."""

    path: Path
    text: str
    is_config: bool = False
    """Its owner's: what is there is never replaced."""

    def below(self, root: Path) -> Path:
        return root / self.path.relative_to("/")

    def is_there(self, root: Path) -> bool:
        return self.below(root).exists()

    def is_same(self, root: Path) -> bool:
        return self.is_there(root) and self._standing(root) == self.text

    def differs(self, root: Path) -> bool:
        """Something else stands there."""
        return self.is_there(root) and not self.is_same(root)

    def difference(self, root: Path) -> str:
        """What would become otherwise, as diff -u shows it."""
        path = str(self.below(root))
        before, after = self._standing(root), self.text
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), path, f"{path} (new)"
        )
        return "".join(lines)

    def write(self, root: Path) -> None:
        """Write it whole or not at all: it may be read at any moment. The config is for its group alone."""
        path = self.below(root)
        beside = path.with_name(f".{path.name}.new")
        with _telling(f"cannot write {path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            mode = OF_GROUP if self.is_config else READABLE
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(self.text.encode())
            beside.replace(path)

    def _standing(self, root: Path) -> str:
        with _telling(f"cannot read {self.below(root)}"):
            return self.below(root).read_bytes().decode("utf-8", "replace")


def files_for(installed: Installed) -> Sequence[Placed]:
    """The unit, the user, the directories, and the example config where `installed` has it."""
    return (
        Placed(path=Path("/etc/systemd/system/wxsync.service"), text=_unit(installed)),
        Placed(path=Path("/etc/sysusers.d/wxsync.conf"), text=_sysusers(installed)),
        Placed(path=Path("/etc/tmpfiles.d/wxsync.conf"), text=_tmpfiles(installed)),
        Placed(path=installed.config, text=_config(), is_config=True),
    )


@contextmanager
def _telling(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "run it as root, or write below another directory with --root"
        raise WxsyncError(f"{what}: {error.strerror}", hint=hint) from None


def _unit(installed: Installed) -> str:
    text = _shipped("wxsync.service")
    command = f"{_word(installed.program, is_program=True)} serve --config {_word(installed.config)}"
    text = _replaced(text, f"{SHIPPED_PROGRAM} serve --config {OF_SYSTEM}", command)
    text = _replaced(text, f"User={SHIPPED_USER}\nGroup={SHIPPED_USER}\n", _as_user(installed.user))
    return text.replace(f"sudo -u {SHIPPED_USER} ", f"sudo -u {installed.user} ")


def _as_user(user: str) -> str:
    return f"User={user}\nGroup={user}\n"


def _sysusers(installed: Installed) -> str:
    return _replaced(_shipped("sysusers.d/wxsync.conf"), f"u {SHIPPED_USER} ", f"u {installed.user} ")


def _tmpfiles(installed: Installed) -> str:
    text = _shipped("tmpfiles.d/wxsync.conf")
    text = _replaced(text, f"z {OF_SYSTEM} 0640", f"z {_path(installed.config)} 0640")
    text = text.replace(f" root {SHIPPED_USER} -", f" root {installed.user} -")
    return _replaced(text, f"{SHIPPED_USER} {SHIPPED_USER} -", f"{installed.user} {installed.user} -")


def _config() -> str:
    """The example, with a mirror where the service may write."""
    house = Path(wxsync.__file__).parent
    for place in (house / "config" / "config.example.toml", house.parent / "config.example.toml"):
        if place.is_file():
            return _replaced(place.read_text(encoding="utf-8"), MIRROR, MIRROR_OF_SERVICE)
    raise WxsyncError("this installation of wxsync has no example config", hint="install it anew")


def _shipped(name: str) -> str:
    """In the wheel as `wxsync/_deploy`, in a checkout beside the package."""
    house = Path(wxsync.__file__).parent
    for place in (house / "_deploy", house.parent / "deploy"):
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8")
    raise WxsyncError(f"this installation of wxsync has no {name}", hint="install it anew")


def _replaced(text: str, before: str, after: str) -> str:
    if text.count(before) != 1:
        raise WxsyncError(
            f"the files of this installation do not hold {before!r} once", hint="install it anew"
        )
    return text.replace(before, after)


def _word(path: Path, *, is_program: bool = False) -> str:
    """One word of a command line, where % and $ mean something (systemd.service(5), COMMAND LINES)."""
    text = str(path).replace("%", "%%")
    # Of the program itself no variable is looked up.
    text = text if is_program else text.replace("$", "$$")
    return f'"{text}"' if any(each in text for each in " ;") else text


def _path(path: Path) -> str:
    """A path in tmpfiles.d(5): there are specifiers, and quotes where it has a space."""
    text = str(path).replace("%", "%%")
    return f'"{text}"' if " " in text else text
