"""Set-up says what is missing, in words that mend it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.servers.presence import require, require_ability

OLD = "#!/bin/sh\nexit 1\n"
BARE = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *print*) echo python3.12;; esac\n'


def tool(folder: Path, name: str, text: str) -> None:
    """A program of that name in `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o755)


def make_venv(path: Path, venv: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/make-venv where nothing but `path` is on the PATH."""
    return subprocess.run(
        [shutil.which("sh") or "/bin/sh", str(ROOT / ".ci" / "make-venv"), str(venv)],
        env={"PATH": str(path), **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_python_that_is_new_enough(tmp_path: Path) -> None:
    """Where every Python is too old or a shim of nothing, the message names the version that is wanted."""
    tool(tmp_path / "bin", "python3.13", OLD)
    tool(tmp_path / "bin", "python3", OLD)

    done = make_venv(tmp_path / "bin", tmp_path / "venv")

    assert done.returncode == 1
    assert "needs Python 3.11 or later" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_a_python_without_venv(tmp_path: Path) -> None:
    """Where Debian's venv module is not installed, the message names its package."""
    tool(tmp_path / "bin", "python3", BARE)

    done = make_venv(tmp_path / "bin", tmp_path / "venv")

    assert done.returncode == 1
    assert "apt-get install python3.12-venv" in done.stderr


def test_a_shim_is_passed_over(tmp_path: Path) -> None:
    """The first Python that answers and is new enough makes the environment; it has pip."""
    tool(tmp_path / "bin", "python3.13", OLD)
    tool(tmp_path / "bin", "python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')

    done = make_venv(tmp_path / "bin", tmp_path / "venv")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "venv" / "bin" / "pip").exists()


def test_servers_that_cannot_be_installed_are_named(tmp_path: Path) -> None:
    """Where there is no apt-get, `make servers` names every package and ends well."""
    for name in ("awk", "dirname"):
        found = shutil.which(name)
        assert found is not None
        tool(tmp_path / "bin", name, f'#!/bin/sh\nexec {found} "$@"\n')

    done = subprocess.run(
        [shutil.which("sh") or "/bin/sh", str(ROOT / "tests" / "servers" / "install")],
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "postgresql" in done.stdout
    assert "chromium" in done.stdout


def test_a_missing_server_skips_and_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without WXSYNC_REQUIRE_SERVERS the test is skipped, and the reason says what to install."""
    monkeypatch.delenv("WXSYNC_REQUIRE_SERVERS", raising=False)

    with pytest.raises(pytest.skip.Exception, match="apt-get install slapd"):
        require(package="slapd", present=False)


def test_a_missing_server_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under WXSYNC_REQUIRE_SERVERS=1 a skip is a failure."""
    monkeypatch.setenv("WXSYNC_REQUIRE_SERVERS", "1")

    with pytest.raises(pytest.fail.Exception, match="slapd"):
        require(package="slapd", present=False)


def test_a_server_that_is_there_is_used() -> None:
    """Nothing happens where the package is there."""
    require(package="slapd", present=True)


def test_what_the_machine_does_not_allow_is_no_silent_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test needs beside servers follows the same rule."""
    monkeypatch.delenv("WXSYNC_REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs root, to mount a small disk"):
        require_ability("root, to mount a small disk", present=False)
    monkeypatch.setenv("WXSYNC_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="needs root, to mount a small disk"):
        require_ability("root, to mount a small disk", present=False)


@pytest.mark.skipif(os.name != "posix", reason="make is for POSIX systems")
def test_make_without_a_target_lists_them() -> None:
    """`make` alone explains itself."""
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run([make, "-C", str(ROOT)], capture_output=True, text=True, check=True)

    for target in ("demo", "test", "lint", "bench", "soak", "servers"):
        assert f"make {target}" in done.stdout
