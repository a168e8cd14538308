"""What people install is whole: built from an archive, it runs without the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import wxsync
from tests.house.tree import ROOT, copy_tree


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the project's files alone, where there is no .git."""
    tree = copy_tree(tmp_path_factory.mktemp("archive"))
    target = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)], cwd=tree)
    [built] = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds the wheel and borrows our dependencies, not the checkout."""
    home = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "venv", "--without-pip", str(home)])
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        str(home / "bin" / "python"),
    ]
    run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)])
    [packages] = home.glob("lib/python*/site-packages")
    # A folder named in a .pth is searched, but its own .pth files are not read: no way to the checkout.
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join(sorted(borrowed)), encoding="utf-8")
    return home


def run(command: list[str], cwd: Path | None = None) -> str:
    """What the command prints; it must end well."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_holds_what_the_code_reads(wheel: Path) -> None:
    """Migrations, templates, translations, systemd's files, the example config and the typing mark."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    needed = {"wxsync/py.typed", "wxsync/config/config.example.toml", "wxsync/_migrations/env.py"}
    for folder, name in [
        ("wxsync/report/templates", "wxsync/report/templates"),
        ("wxsync/report/locale", "wxsync/report/locale"),
        ("migrations/versions", "wxsync/_migrations/versions"),
        ("deploy", "wxsync/_deploy"),
    ]:
        found = {f"{name}/{path.relative_to(ROOT / folder)}" for path in data_files(ROOT / folder)}
        assert found, f"nothing in {folder}"
        needed |= found

    assert needed <= inside, needed - inside


def data_files(folder: Path) -> list[Path]:
    """All files under `folder` that are the project's own."""
    return [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    """No tests, no compiled files, nothing beside the package and its metadata."""
    inside = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in inside}

    assert tops == {"wxsync", f"wxsync-{wxsync.__version__}.dist-info"}
    assert not [name for name in inside if name.endswith(".pyc")]
    assert any(name.endswith("/licenses/LICENSE") for name in inside)


def test_the_installed_wheel_runs(installed: Path, tmp_path: Path) -> None:
    """`wxsync --version` answers with the version, from the installed files."""
    said = run([str(installed / "bin" / "wxsync"), "--version"], cwd=tmp_path)
    where = run(
        [str(installed / "bin" / "python"), "-c", "import wxsync; print(wxsync.__file__)"], cwd=tmp_path
    )

    assert wxsync.__version__ in said
    assert Path(where.strip()).is_relative_to(installed)


def test_the_installed_wheel_tells_the_whole_story(installed: Path, tmp_path: Path) -> None:
    """`wxsync demo` finds its migrations, templates and translations without a checkout."""
    keep = tmp_path / "kept"
    run([str(installed / "bin" / "wxsync"), "demo", "--members", "30", "--keep", str(keep)], cwd=tmp_path)

    assert list(keep.rglob("*.html"))
    assert list(keep.rglob("*.toml"))
