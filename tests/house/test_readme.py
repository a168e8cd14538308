"""What the README shows can be used, and its map is the house as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.command_line import exit_codes
from tests.house.tree import ROOT, project
from wxsync.config.loader import load_settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))


def section(title: str) -> str:
    """The text below a heading, up to the next one of its rank or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no heading {title!r}"
    return found[2]


def test_the_config_can_be_used(tmp_path: Path) -> None:
    """The config for one's own database loads as it stands, with its two secrets in the environment."""
    [text] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "wxsync.toml"
    path.write_text(text, encoding="utf-8")
    secrets = {"WXSYNC_CONTACT_SECRET": "made-up", "WXSYNC_HR_PASSWORD": "made-up too"}

    loaded = load_settings(path, environment=secrets)

    assert list(loaded.settings.sync) == ["acme"]
    assert not loaded.warnings
    assert loaded.settings.sync["acme"].policy.leavers == "disable"


def test_the_map_has_every_module() -> None:
    """A row for each room, and in it each of its modules once; no other."""
    rows = re.findall(r"^\| `([\w/]+)/` \|[^|]*\| (.*) \|$", section("The map of the house"), re.MULTILINE)
    drawn = {room: sorted(re.findall(r"`(\w+)`", modules)) for room, modules in rows}
    house = ROOT / "wxsync"
    rooms = [path.parent for path in house.rglob("__init__.py") if path.parent != house]
    standing = {
        str(room.relative_to(house)): sorted(
            path.stem for path in room.glob("*.py") if path.stem != "__init__"
        )
        for room in rooms
    }

    assert drawn == standing


def test_the_map_has_every_floor() -> None:
    """The drawing has the floors that import-linter holds, the uppermost first."""
    [contract] = [c for c in project()["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    layers = [
        {room.strip() for room in layer.split("|") if not room.strip().startswith("(")}
        for layer in contract["layers"]
    ]
    drawn = re.findall(r"^ \d  ((?:\w+)(?: \| \w+)*)  ", section("The map of the house"), re.MULTILINE)

    assert [set(floor.split(" | ")) for floor in drawn] == [layer for layer in layers if layer]


def test_the_exit_codes_are_those_of_the_code() -> None:
    """Every code that a command can leave with, and no other."""
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)}
    assert told == exit_codes()


def test_every_link_leads_somewhere() -> None:
    """A relative link names a file that is there, and a heading in it."""
    broken = [
        f"{path.name}: {target}"
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
        if not target.startswith("https://") and not leads_somewhere(path, target)
    ]

    assert not broken


def leads_somewhere(path: Path, target: str) -> bool:
    """The file is there and has the heading."""
    name, _, anchor = target.partition("#")
    file = path.parent / name if name else path
    return file.is_file() and (not anchor or anchor in anchors(file.read_text(encoding="utf-8")))


def anchors(text: str) -> set[str]:
    """The headings as links name them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
