"""The HTML report is one harmless file that a browser shows whole on any screen."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from wxsync.model.plan import Plan
from wxsync.model.run import Run
from wxsync.report.as_html import html_of_plan, html_of_run

VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})
CHROMIUM = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(params=["plan-zh", "plan-en", "run-zh", "run-en"])
def html(request: pytest.FixtureRequest, plan: Plan, run: Run) -> str:
    what, language = request.param.split("-")
    if what == "plan":
        return html_of_plan(plan, language=language, show_personal=False)
    return html_of_run(run, language=language, show_personal=False)


def test_the_page_is_well_formed(html: str) -> None:
    """Every element is closed where it was opened."""
    assert html.startswith("<!DOCTYPE html>")
    assert Page(html).open == []


def test_the_page_needs_nothing_else(html: str) -> None:
    """No script, no network: nothing is loaded, and a policy forbids it besides."""
    tags = Page(html).tags
    assert {"script", "link", "img", "iframe", "form", "object"}.isdisjoint(tag for tag, _ in tags)
    policies = [each["content"] for _, each in tags if each.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    for _, attributes in tags:
        assert {"src", "style", "srcset", "background"}.isdisjoint(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "@import" not in html
    assert "url(" not in html


def test_hostile_names_are_text(html: str) -> None:
    """A member who is called like a script is shown, not run."""
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_links_lead_somewhere(html: str) -> None:
    """Every link of the summary leads to a part of the page, and no id stands twice."""
    tags = Page(html).tags
    ids = [each["id"] for _, each in tags if "id" in each]
    links = {str(each["href"])[1:] for _, each in tags if "href" in each}
    assert len(ids) == len(set(ids))
    assert links <= set(ids)
    assert links


def test_personal_values_are_shown_only_when_asked_for(html: str, plan: Plan) -> None:
    """Masked by default; --show-personal gives the values and says what that means."""
    for personal in ("13812341234", "98765432", "lin.mei@", "张江路", "13912345678"):
        assert personal not in html
    shown = html_of_plan(plan, language="en", show_personal=True)
    assert "13812341234" in shown
    assert "This report shows personal data" in shown


def test_every_change_and_every_keep_is_in_the_page(plan: Plan) -> None:
    """Nothing is left out: folding needs no script."""
    text = Page(html_of_plan(plan, language="en", show_personal=False)).text
    for change in plan.changes:
        assert str(change.key or change.id) in text
    assert "Plan: 21 to create, 3 to adopt, 14 to update, 1 to enable, 6 to disable, 4 to delete" in text
    assert plan.digest in text
    assert "OVER" in text


def test_a_run_shows_every_outcome(run: Run) -> None:
    """Failures stand first with errcode and hint, and every change carries its outcome."""
    page = Page(html_of_run(run, language="zh", show_personal=False))
    assert "错误码 60104" in page.text
    assert "另一成员已使用此手机号：请查明是谁，并更正其中之一" in page.text
    marks = [each for tag, each in page.tags if (each.get("class") or "").startswith("outcome ")]
    assert len(marks) == len(run.outcomes)


def test_the_language_is_declared(plan: Plan) -> None:
    """The page names its language, so that a browser picks Chinese letterforms and reads it right."""
    assert '<html lang="zh-CN">' in html_of_plan(plan, language="zh", show_personal=False)
    assert '<html lang="en">' in html_of_plan(plan, language="en", show_personal=False)


def test_a_browser_shows_it_at_any_width(plan: Plan, chromium: str, tmp_path: Path) -> None:
    """Chromium lays the page out without a sideways scroll, at 1280 and at 390 pixels.

    A page around it measures it: the report's own policy forbids any script in it.
    """
    html = html_of_plan(plan, language="zh", show_personal=False)
    for width in (1280, 390):
        frame = tmp_path / f"frame-{width}.html"
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        frame.write_text(_FRAME.format(width=width), encoding="utf-8")
        assert f"measured {width} {width}" in _dump(chromium, frame, tmp_path)


def test_a_browser_draws_it(run: Run, chromium: str, tmp_path: Path) -> None:
    """Chromium draws the untouched file, and a plan with changes does not look like one without."""
    sizes = []
    bare = replace(run, plan=replace(run.plan, changes=(), rejected=(), limits=()), outcomes=())
    for number, each in enumerate((run, bare)):
        page = tmp_path / f"{number}.html"
        page.write_text(html_of_run(each, language="zh", show_personal=False), encoding="utf-8")
        picture = tmp_path / f"{number}.png"
        _run(chromium, tmp_path, "--window-size=390,2000", f"--screenshot={picture}", page.as_uri())
        assert picture.read_bytes().startswith(b"\x89PNG")
        sizes.append(picture.stat().st_size)
    assert sizes[0] > sizes[1] > 5_000


_FRAME = """<!DOCTYPE html><meta charset="utf-8"><title>probe</title>
<iframe id="page" src="page.html" style="width:{width}px;height:800px;border:0"></iframe>
<p id="found"></p><script>
addEventListener("load", () => {{
  const root = document.getElementById("page").contentDocument.documentElement;
  document.getElementById("found").textContent = `measured ${{root.clientWidth}} ${{root.scrollWidth}}`;
}});
</script>"""


def _dump(chromium: str, page: Path, home: Path) -> str:
    return _run(chromium, home, "--allow-file-access-from-files", "--dump-dom", page.as_uri())


def _run(chromium: str, home: Path, *options: str) -> str:
    done = subprocess.run(
        [chromium, *CHROMIUM, f"--user-data-dir={home / 'profile'}", *options],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout
