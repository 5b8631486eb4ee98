"""Code versions that cannot be forgotten: hashes of the files that decide what is made. Nothing is imported or run.

Which files decide a table is said by whoever asks. The versions of methods, which a person sets, are in
`energy.versions`.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from pipelines.home import REPOSITORY

COMPUTING = ("assets", "pipelines.energy", "pipelines.tables")
"""Packages whose modules decide figures. The others are machinery, which carries them and changes none."""
IMPORT = re.compile(
    r"^[ \t]*(?:from ((?:assets|pipelines)[\w.]*) import (\([^)]*\)|[^\n]*)|import ((?:assets|pipelines)[\w.]*))",
    re.MULTILINE,
)
"""A line that imports a module of ours: parsing all files takes a third of a second, this a hundredth."""
DIGITS = 12


def version_of_module(path: Path) -> str:
    """Hash of a module and of those of COMPUTING that it imports, directly or through others."""
    return version_of_files(computed_by(path))


def computed_by(path: Path) -> set[Path]:
    """The files of a module and of those of COMPUTING that it imports, directly or through others."""
    found, waiting = {path}, [path]
    while waiting:
        new = _imported(waiting.pop()) - found
        found |= new
        waiting += new
    return found


def version_of_pattern(*patterns: str) -> str:
    """Hash of the files of the repository that match, by name and content."""
    return version_of_files(path for pattern in patterns for path in REPOSITORY.glob(pattern) if path.is_file())


def version_of_files(paths: Iterable[Path]) -> str:
    """Hash of files by name and content, in whatever order they come."""
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        digest.update(_digest(path))
    return digest.hexdigest()[:DIGITS]


@cache
def _digest(path: Path) -> bytes:
    content = hashlib.sha256(path.read_bytes()).digest()
    return str(path.relative_to(REPOSITORY)).encode() + content


@cache
def _imported(path: Path) -> frozenset[Path]:
    """The files of COMPUTING that a file imports itself."""
    return frozenset(
        file
        for name in _names(path.read_text(encoding="utf-8"))
        if name.startswith(COMPUTING) and (file := _file_of(name))
    )


def _names(text: str) -> Iterator[str]:
    """What is imported anywhere in a file; `from a import b` may be the module a.b, or a name of a."""
    for package, names, module in IMPORT.findall(text):
        yield package or module
        yield from (f"{package}.{name}" for name in re.findall(r"\w+", names))


def _file_of(name: str) -> Path | None:
    """The file of a module; None of a package, whose own file says nothing, and of what is no module."""
    file = REPOSITORY.joinpath(*name.split(".")).with_suffix(".py")
    return file if file.is_file() else None
