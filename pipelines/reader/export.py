"""`joulebook export`: the published file as a folder that may be passed on.

Here the folder is made, aside and then renamed, and errors become one line. What is in it: package.py; how it is
described: package_metadata.py and package_pages.py. The validators of these formats run in the tests, never here.
"""

import json
import secrets
import shutil
from importlib.metadata import version
from pathlib import Path

import click
import duckdb
import yaml

from pipelines.reader.package import ExportError, Package, pack
from pipelines.reader.package_metadata import LICENCES, citation, croissant, data_package, licences_in
from pipelines.reader.package_pages import attribution, licences, readme

EXIT_NO_PACKAGE = 2
TEXTS = Path(__file__).with_name("licences")
"""Texts of the licences that ask to go with every copy."""


def export(file: Path, folder: Path) -> int:
    """Write the package of `file` into `folder`, say what is in it, and return the exit code."""
    try:
        package = make_package(file, folder)
    except ExportError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_NO_PACKAGE
    click.echo(f"package   {folder}: version {package.version}, {package.created_at_utc}")
    click.echo(f"tables    {len(package.tables)}, {package.n_rows} rows, from {len(package.included)} sources")
    click.echo(f"left out  {package.n_left_out} rows that may not be passed on, counted in {folder / 'README.md'}")
    return 0


def make_package(file: Path, folder: Path) -> Package:
    """Write the package of `file` into `folder`, whole or not at all. Raises ExportError."""
    place = folder.resolve()
    if not file.is_file():
        raise ExportError(f"{file} does not exist: run joulebook refresh first")
    _check_place(folder, place)
    aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        aside.mkdir()
        package = _filled(file, aside)
        aside.replace(place)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise ExportError(
            f"{file} was not packed: {reason}; run joulebook refresh if it is damaged or of an earlier version"
        ) from error
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}; mend that or name another") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return package


def _check_place(folder: Path, place: Path) -> None:
    if not place.parent.is_dir():
        raise ExportError(f"{folder} cannot be written: {place.parent} is no folder; make it first")
    if place.exists() and not place.is_dir():
        raise ExportError(f"{folder} is a file: name a folder that does not exist or is empty")
    if place.is_dir() and any(place.iterdir()):
        raise ExportError(f"{folder} is not empty: name a folder that does not exist or is empty")


def _filled(file: Path, folder: Path) -> Package:
    """Write all files of the package into the empty `folder`."""
    # one thread: the order of row groups, and so the bytes, are the same each time
    with duckdb.connect(str(file), read_only=True, config={"threads": 1}) as book:
        package = pack(book, folder)
    for source in package.included:
        if source.licence not in LICENCES:
            raise ExportError(
                f"{source.source_id}: nothing says whether a package may hold figures under {source.licence!r}; read "
                "it, then add it to LICENCES in pipelines/reader/package_metadata.py, or say in assets/sources.yaml "
                "that its redistribution is not allowed"
            )
    (folder / "licences").mkdir()
    for name in licences_in(package):
        if (text := TEXTS / f"{name}.txt").exists():
            shutil.copyfile(text, folder / "licences" / text.name)
    _write(folder / "datapackage.json", _json(data_package(package)))
    _write(folder / "croissant.json", _json(croissant(package, version("joulebook"))))
    _write(folder / "CITATION.cff", yaml.safe_dump(citation(package), sort_keys=False, allow_unicode=True, width=120))
    _write(folder / "README.md", readme(package))
    _write(folder / "LICENSES.md", licences(package))
    _write(folder / "ATTRIBUTION.md", attribution(package))
    return package


def _json(described: dict) -> str:
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
