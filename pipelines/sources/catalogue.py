"""The catalogue of published sources, `assets/sources.yaml`, as typed entries. Unknown fields are errors.

Nothing here touches the network or a parser: `parser` is the name of a raw table, resolved by the doors.
"""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError

from pipelines.home import REPOSITORY
from pipelines.sources.errors import SourceError

CATALOGUE_PATH = REPOSITORY / "assets" / "sources.yaml"
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C where it was built: the one in Python takes a tenth of what Dagster needs to load everything."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Licence(_Entry):
    """What the publisher allows. `redistribution` is our reading of it, not legal advice."""

    name: str
    url: HttpUrl
    redistribution: Literal["allowed", "unclear", "forbidden"]
    reason: str = Field(description="why we may, or may not, keep extracted figures in the repository")


class Document(_Entry):
    """One published file of a source.

    Attributes:
        url: its live address, https only.
        release: the publisher's name of the release, as text ("1.2rc" is one); `main` where there is none.
        layout: which of the parser's layouts the file has.
        max_row_loss_share: where it differs from the source's.
        files: a list below `assets/` of the paths under `url` that make up the document, where the publisher spreads it
            over many small files.
    """

    url: HttpUrl
    release: str
    layout: str
    max_row_loss_share: float | None = Field(default=None, ge=0, lt=1)
    files: str | None = None

    @property
    def place(self) -> str:
        return str(self.url)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths under `url`, in the order of the list; none where the document is one file."""
        if self.files is None:
            return ()
        try:
            lines = (REPOSITORY / "assets" / self.files).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise SourceError(f"assets/{self.files}", "whole file", f"cannot be read: {error}", "Mend it.") from error
        paths = tuple(line for line in lines if line and not line.startswith("#"))
        if not paths or len(set(paths)) < len(paths):
            problem = "has no path" if not paths else "has a path twice"
            raise SourceError(f"assets/{self.files}", "whole file", problem, "Edit it: one path a line.")
        return paths


class Source(_Entry):
    """One source: what it is, who publishes it, what may be done with it, and how to read it."""

    source_id: str
    title: str
    publisher: str
    homepage: HttpUrl
    licence: Licence
    credit: str
    keep_extract: bool
    cadence_days: int = Field(gt=0)
    finished: bool = Field(
        default=False,
        description="its publisher adds nothing: asked only where the accepted figures are older than cadence",
    )
    parser: str
    format: Literal["markdown", "json", "jsonl", "csv"]
    boundary: Literal["none", "gpu", "node", "facility"]
    basis: str
    max_bytes: int = Field(gt=0)
    max_row_loss_share: float = Field(
        ge=0, lt=1, description="share of a release's rows that a newer take may lack and still be accepted"
    )
    documents: tuple[Document, ...] = Field(min_length=1)


def load_catalogue(path: Path = CATALOGUE_PATH) -> dict[str, Source]:
    """All sources by id. Raises SourceError naming the entry and field that is wrong."""
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=SAFE_LOADER)
    except (OSError, yaml.YAMLError) as error:
        raise SourceError(path.name, "whole file", f"cannot be read: {error}", "Mend the YAML.") from error
    if not isinstance(entries, dict):
        raise SourceError(path.name, "whole file", "is not a mapping of source ids", "Mend the YAML.")
    catalogue = {}
    for source_id, fields in entries.items():
        try:
            catalogue[source_id] = Source(source_id=source_id, **fields)
        except (ValidationError, TypeError) as error:
            raise SourceError(path.name, str(source_id), _first_problem(error), "Edit that entry.") from error
    return catalogue


def _first_problem(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return "is not a mapping of fields"
    first = error.errors()[0]
    return f"field {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
