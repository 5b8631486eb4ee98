"""A Markdown page as the tests see it: its code blocks with the output shown below each, and its words in code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
from markdown_it import MarkdownIt

from pipelines.sources.catalogue import REPOSITORY

FILE_NAME = re.compile(r"(?:[\w.*-]+/)*[\w.*-]+(?:\.(?:py|md|sql|csv|yaml|toml|lock|duckdb)|/)")
BORDER = re.compile(r"[─═┌┐└┘╞╡╪┬┴┼┆│├┤…]+")


@dataclass(frozen=True)
class Shown:
    """A code block and what the page shows right below it: table rows of a sql block, lines of a python block."""

    page: str
    line: int
    language: str
    code: str
    table: tuple[tuple[str, ...], ...] | None
    text: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Written:
    """A block that a page says to write: `file=PATH` behind its language, and where: at the end, or beside a line."""

    path: str
    before: str | None
    after: str | None
    text: str

    def write_below(self, folder: Path) -> None:
        """Write it. The line that it stands beside must be there once."""
        path = folder / self.path
        present = path.read_text(encoding="utf-8") if path.exists() else ""
        if self.before or self.after:
            mark = f"{self.before or self.after}\n"
            assert present.count(mark) == 1, f"{self.path} has {mark!r} {present.count(mark)} times"
            new = present.replace(mark, f"{self.text}{mark}" if self.before else f"{mark}{self.text}")
        else:
            assert not present or present.endswith("\n"), f"{self.path} does not end with a line"
            new = present + ("\n" if present and path.suffix == ".yaml" else "") + self.text
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(new, encoding="utf-8")


def page(name: str) -> str:
    """The text of a page, by its path below the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def shown_blocks(name: str, *languages: str) -> list[Shown]:
    """The code blocks of a page in these languages."""
    pieces = list(_pieces(page(name)))
    blocks = []
    for (kind, line, content), (next_kind, _, below) in zip(pieces, [*pieces[1:], ("end", 0, "")], strict=True):
        if kind in languages:
            table = below if next_kind == "table" else None
            text = below if next_kind == "text" else None
            blocks.append(Shown(name, line, kind, content, table, text))
    return blocks


def written_files(name: str) -> list[Written]:
    """What a page says to write, in order."""
    found = []
    for kind, _, content in _pieces(page(name)):
        if path := re.search(r" file=(\S+)", kind):
            before, after = (re.search(rf' {word}="([^"]+)"', kind) for word in ("before", "after"))
            found.append(Written(path[1], before and before[1], after and after[1], content))
    return found


def _pieces(text: str) -> Iterator[tuple[str, int, object]]:
    """Fences by their language, tables as rows of cells (header first), and everything else as `prose`, in order."""
    rows: list[list[str]] = []
    inside = False
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for i, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "fence":
            yield token.info, line, token.content
        elif token.type == "table_open":
            rows, inside = [], True
        elif token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(tokens[i + 1].content.strip())
        elif token.type == "table_close":
            inside = False
            yield "table", 0, tuple(tuple(row) for row in rows)
        elif token.type == "inline" and not inside:
            yield "prose", line, token.content


def words_in_code(name: str) -> list[str]:
    """Everything the page sets as code within a line."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page(name))
    return [child.content for token in tokens for child in token.children or [] if child.type == "code_inline"]


def shell_lines(name: str) -> list[str]:
    """Commands: what is set as code within a line, and the lines of sh blocks without their comments."""
    blocks = [content for kind, _, content in _pieces(page(name)) if kind == "sh"]
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [part.strip() for line in [*lines, *words_in_code(name)] for part in line.split("&&")]


def files_named(name: str) -> list[str]:
    """Files and folders named in code or linked to; `<table>` reads as a wildcard."""
    words = [re.sub(r"<\w+>", "*", word) for word in words_in_code(name)]
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", page(name)) if "://" not in link]
    folder = Path(name).parent
    return [word for word in words if FILE_NAME.fullmatch(word)] + [str(folder / link) for link in links]


def missing_files(name: str, home: Path) -> list[str]:
    """Files that a page names and that are neither in the repository nor in a refreshed home nor of its example."""
    example = {Path(written.path).stem for written in written_files(name)}
    return [word for word in files_named(name) if not _exists(word, home) and Path(word).stem not in example]


def _exists(word: str, home: Path) -> bool:
    if word.startswith("warehouse/"):
        return any(home.glob(word.removeprefix("warehouse/").rstrip("/")))
    pattern = word.rstrip("/")
    beside = [REPOSITORY / "assets" / "reference"] if "/" not in pattern else []
    return any(any(folder.glob(pattern)) for folder in [REPOSITORY, *beside])


def run_sql(block: Shown) -> None:
    """Run a query on `warehouse` in the current folder, and compare with the table that the page shows below it."""
    with duckdb.connect("warehouse/joulebook.duckdb", read_only=True) as book:
        relation = book.sql(block.code)
        header, rows = tuple(relation.columns), relation.fetchall()
    assert block.table, f"{block} shows no table below the query"
    assert block.table[0] == header, f"{block} has columns {header}"
    found = [tuple(as_text(value) for value in row) for row in rows]
    assert len(found) == len(block.table) - 1, f"{block} gives {len(found)} rows"
    for shown, row in zip(block.table[1:], found, strict=True):
        assert all(same(a, b) for a, b in zip(shown, row, strict=True)), f"{block} shows {shown}, gives {row}"


def same(shown: str, found: str) -> bool:
    """Whether a printed cell says the same: equal, or a number within one unit of its last printed digit."""
    if shown == found:
        return True
    try:
        expected, value = float(shown.rstrip("%")), float(found.rstrip("%"))
    except ValueError:
        return False
    decimals = len(shown.rstrip("%").partition(".")[2])
    return abs(expected - value) <= (1.001 * 10**-decimals if decimals else 0)


def words(printed: str) -> list[str]:
    """The words of printed text, borders of tables left out."""
    return BORDER.sub(" ", printed).split()


def as_text(value: object) -> str:
    """A value of a query as a page shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
