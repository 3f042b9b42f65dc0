"""Builds the documentation as a static site: `python scripts/site/build.py OUTPUT`.

Each page of `docs/`, and the Markdown files beside README, become one HTML file. Nothing is asked of another
host, so the folder can be opened from disk or laid on any web server. A link that leads nowhere ends it with
exit code 1.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from os.path import relpath
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """A Markdown file, and where its HTML goes, relative to the site."""

    source: Path
    target: str
    tokens: list[Token]

    @property
    def title(self) -> str:
        """Its first heading."""
        at = next(i for i, token in enumerate(self.tokens) if token.type == "heading_open")
        return plain(self.tokens[at + 1])


def plain(inline: Token) -> str:
    """The text of a heading or a link, without marks."""
    return "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))


def anchor(title: str) -> str:
    """The name of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def coloured(code: str, language: str, _attributes: str) -> str:
    """A block of code in HTML; languages that nobody knows stay plain."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


MARKDOWN = MarkdownIt("commonmark", {"highlight": coloured, "html": False}).enable("table")


def read_pages(tree: Path) -> dict[Path, Page]:
    """All pages by their source."""
    docs = tree / "docs"
    found = {path: path.relative_to(docs).with_suffix(".html") for path in sorted(docs.rglob("*.md"))}
    found |= {path: Path(path.name.lower()).with_suffix(".html") for path in sorted(tree.glob("*.md"))}
    pages = {
        path: Page(path, target.as_posix(), MARKDOWN.parse(path.read_text(encoding="utf-8")))
        for path, target in found.items()
    }
    for page in pages.values():
        name_headings(page)
        lead_links(page, pages, tree)
    return pages


def name_headings(page: Page) -> None:
    """Gives each heading its name."""
    for opening, inline in pairwise(page.tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", anchor(plain(inline)))


def lead_links(page: Page, pages: dict[Path, Page], tree: Path) -> None:
    """Points links at pages to their HTML, pictures to their copy; other files of the tree stay words."""
    for token in (child for inline in page.tokens for child in inline.children or []):
        if token.type == "image":
            picture = (page.source.parent / str(token.attrs["src"])).resolve().relative_to(tree / "docs")
            token.attrSet("src", relpath(picture, Path(page.target).parent))
        if token.type != "link_open":
            continue
        path, _, rest = str(token.attrs["href"]).partition("#")
        if not path or re.match(r"[a-z]+:", path):
            continue
        target = (page.source.parent / unquote(path)).resolve()
        if target in pages:
            there = relpath(pages[target].target, Path(page.target).parent)
            token.attrSet("href", there + (f"#{rest}" if rest else ""))
        elif target.exists() and not target.is_relative_to(tree / "docs"):
            token.attrs = {"class": "file", "title": f"In the source: {target.relative_to(tree)}"}


def contents(index: Page) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The parts of the index, each with (title, target) of its pages."""
    title, links = "", list[tuple[str, str]]()
    for before, token in pairwise(index.tokens):
        if before.type == "heading_open" and before.tag == "h2":
            yield title, links
            title, links = plain(token), []
        if token.type == "inline":
            links += page_links(token)
    yield title, links


def page_links(inline: Token) -> Iterator[tuple[str, str]]:
    """(text, target) of the links to pages in a line."""
    children = inline.children or []
    for opening, text in pairwise(children):
        target = str(opening.attrs.get("href", "")) if opening.type == "link_open" else ""
        if target.endswith(".html"):
            yield text.content, target


def write(pages: dict[Path, Page], tree: Path, output: Path) -> None:
    """Writes all files of the site."""
    environment = Environment(loader=FileSystemLoader(HERE), undefined=StrictUndefined, autoescape=True)
    template = environment.get_template("page.html")
    parts = list(contents(pages[tree / "docs/index.md"]))
    for page in pages.values():
        html = MARKDOWN.renderer.render(page.tokens, MARKDOWN.options, {})
        file = output / page.target
        file.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * page.target.count("/")
        file.write_text(template.render(page=page, body=Markup(html), parts=parts, up=up), encoding="utf-8")
    shutil.copytree(tree / "docs/pictures", output / "pictures", dirs_exist_ok=True)
    shutil.copy(HERE / "style.css", output)


class Links(HTMLParser):
    """What a page leads to and loads, and the names in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects them."""
        for name, value in attrs:
            if name == "id":
                self.names.add(value or "")
            elif name in ("href", "src"):
                (self.links if tag == "a" else self.loads).append(value or "")


def broken(output: Path) -> list[str]:
    """`page: link` for each link that leads nowhere, and whatever a page loads from another host."""
    read = {
        path.relative_to(output).as_posix(): Links(path.read_text(encoding="utf-8"))
        for path in sorted(output.rglob("*.html"))
    }
    return [
        f"{page}: {link}"
        for page, found in read.items()
        for link in (*found.links, *found.loads)
        if not leads(output, read, page, link, elsewhere=link in found.links)
    ]


def leads(output: Path, read: dict[str, Links], page: str, link: str, *, elsewhere: bool) -> bool:
    """Whether a link leads somewhere. `elsewhere`: it may be to another host."""
    if re.match(r"[a-z]+:", link):
        return elsewhere
    path, _, name = link.partition("#")
    target = normpath(f"{page}/../{unquote(path)}") if path else page
    if not (output / target).is_file():
        return False
    return not name or name in read[target].names


def build(tree: Path, output: Path) -> int:
    """The exit code."""
    tree = tree.resolve()
    shutil.rmtree(output, ignore_errors=True)
    write(read_pages(tree), tree, output)
    wrong = broken(output)
    for line in wrong:
        print(f"A link leads nowhere: {line}", file=sys.stderr)
    print(f"{len(list(output.rglob('*.html')))} pages: {output / 'index.html'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(build(HERE.parents[1], Path(sys.argv[1])))
