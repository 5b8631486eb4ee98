"""A document that its publisher spreads over many small files, as one piece of bytes: a JSON object from path to text.

The object is in the order of the document's list, so equal files give equal bytes. What the texts say belongs to the
parsers.
"""

import json
from collections.abc import Mapping

from pipelines.sources.cells import utf8
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json

_REMEDY = "Take the source again; if it persists, edit its list of files below assets/."


def pack(files: Mapping[str, bytes], source_id: str) -> bytes:
    """The files as one document. Raises SourceError naming the path of a file that is not UTF-8."""
    texts = {path: utf8(content, source_id, path) for path, content in files.items()}
    return json.dumps(texts, ensure_ascii=False, indent=0).encode("utf-8")


def unpack(content: bytes, source_id: str, place: str) -> dict[str, str]:
    """Path to text. Raises SourceError where the bytes are no such document."""
    texts = load_json(content, source_id, place)
    if not isinstance(texts, dict) or not texts or not all(isinstance(text, str) for text in texts.values()):
        raise SourceError(source_id, place, "is not an object of files", _REMEDY)
    return texts
