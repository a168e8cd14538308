"""Whatever is typed, there is an exit code of the contract and a sentence, never a traceback."""

from __future__ import annotations

import json
import random
import subprocess

import pytest

from tests.cli.stage import WXSYNC, Stage
from wxsync.cli.main import COMMANDS, run

ODD = [
    ("db",),
    ("db", "nonsense"),
    ("runs", "9" * 30),
    ("runs", "--", "-1"),
    ("runs", "--limit", "-3"),
    ("runs", "--limit", "9" * 30),
    ("apply", "--approve"),
    ("plan", "--output", "."),
    ("plan", "--config", "\udcff"),
    ("plan", "\udcff\udcfe"),
    ("plan", ""),
    ("plan", "--language", "fr"),
    ("sandbox", "--listen", "x"),
    ("sandbox", "--listen", "127.0.0.1:99999"),
    ("sandbox", "--listen", "0.0.0.0:0"),
    ("sandbox", "--latency", "long"),
    ("--nope",),
    ("--config",),
    ("plan", "--format"),
    ("\n",),
]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_odd_arguments(stage: Stage, language: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Each ends with 1 or 2 and says why; with --format json it is one document."""
    text = stage.config.read_text("utf-8").replace('language = "en"', f'language = "{language}"')
    stage.config.write_text(text, "utf-8")
    for arguments in ODD:
        code = run(
            ["--config", str(stage.config), *arguments] if arguments != ("--config",) else [*arguments]
        )
        out, err = capfd.readouterr()
        assert code in (1, 2), arguments
        assert (out, bool(err)) == ("", True), arguments
        code = run([*arguments, "--format", "json"])
        out, err = capfd.readouterr()
        assert code in (1, 2), arguments
        assert json.loads(out)["format"] == "wxsync-error/1", arguments


def test_arguments_in_any_order(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Words thrown together never break it; nothing is written without a yes."""
    monkeypatch.chdir(stage.home)
    monkeypatch.setenv("STAGE_SECRET", stage.secrets[0])
    words = [
        *(name for name in COMMANDS if name not in ("demo", "sandbox")),
        "upgrade",
        "acme",
        "1",
        "--config",
    ]
    words += [
        "wxsync.toml",
        "--format",
        "json",
        "text",
        "--language",
        "zh",
        "--output",
        "--exit-code",
        "--",
        "-h",
    ]
    chance = random.Random(20260131)
    for _ in range(60):
        arguments = chance.choices(words, k=chance.randint(0, 5))
        code = run(arguments)
        assert code in (0, 1, 2, 3, 4), arguments
        out, err = capfd.readouterr()
        assert out + err or "--output" in arguments, arguments
    assert not [call for call in stage.wecom.log if call.is_write]


def test_no_arguments_give_the_help() -> None:
    """Every command is in it, with a word on what it does, and it is quick."""
    ended = subprocess.run([str(WXSYNC)], capture_output=True, encoding="utf-8", timeout=20, check=False)
    assert ended.returncode == 2
    helped = subprocess.run(
        [str(WXSYNC), "-h"], capture_output=True, encoding="utf-8", timeout=20, check=False
    )
    assert helped.returncode == 0
    for name in COMMANDS:
        assert f"  {name} " in helped.stdout


def test_a_fault_of_our_own_shows_no_values(stage: Stage) -> None:
    """What nobody foresaw: exit code 1, where it happened, and nothing of what was at hand."""
    site = stage.home / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import wxsync.engine.reconcile as r\n"
        "def broken(corp, *a, **k):\n"
        "    raise KeyError('13800000001')\n"
        "r._decided = broken\n"
    )
    printed = stage.run("plan", env={"PYTHONPATH": str(site)})
    assert printed.code == 1
    printed.says("Error: this is a fault in wxsync: KeyError", "engine/reconcile.py:", "please report it")
    document = stage.run("plan", "--format", "json", env={"PYTHONPATH": str(site)})
    assert document.code == 1
    assert document.json["code"] == "fault"


def test_the_sandbox_as_a_command(stage: Stage) -> None:
    """One JSON line when it is ready, then it serves until it is stopped, and ends with 0."""
    with stage.running(
        "sandbox", "--listen", "127.0.0.1:0", "--contact-secret", "sandbox-secret-1"
    ) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        stage.configure((stage.base_url, facts["base_url"]), (stage.wecom.corp_id, facts["corp_id"]))
        assert stage.run("apply", "--yes", env={"STAGE_SECRET": facts["contact_secret"]}).code == 0
        process.terminate()
        assert process.wait(timeout=10) == 0
