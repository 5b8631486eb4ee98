"""The package described to machines: datapackage.json (Frictionless), croissant.json (Croissant), CITATION.cff.

Pure functions from a Package to the object that is written as JSON or YAML. Text for people is in package_pages.py.
"""

import re
from collections.abc import Iterable

from pipelines.reader.package import Field, Package, PackedTable, Source

NAME = "joulebook"
TITLE = "joulebook: the book of joules per query"
ABSTRACT = (
    "How much electricity one query to a large language model takes, by model, hardware and workload: estimates with "
    "their intervals from published throughput benchmarks, measured energy and hardware figures, each of which can be "
    "walked back to the cell it was published in."
)
AUTHOR = "The joulebook contributors"
KEYWORDS = ["energy", "large language models", "inference", "data centers", "carbon footprint", "benchmarks"]
OUR_LICENCE = "CC-BY-4.0"
"""For what is ours. It holds beside all of LICENCES: none of them asks that what is made from a figure be under the
same licence (MPL-2.0 does of the rows themselves, which keep it)."""
LICENCES = {
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "BSD-3-Clause": "https://opensource.org/license/bsd-3-clause",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "MIT": "https://opensource.org/license/mit",
    "MPL-2.0": "https://www.mozilla.org/MPL/2.0/",
}
"""Licences of sources that a package under OUR_LICENCE may hold, by their SPDX name, and where their text stands."""

MISSING_VALUES = ["", "nan"]
"""Empty cells are nulls in Parquet; validators that read it through pandas see nan."""
CROISSANT = "http://mlcommons.org/croissant/1.0"
CROISSANT_TYPES = {
    "string": "sc:Text",
    "number": "sc:Float",
    "integer": "sc:Integer",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "datetime": "sc:DateTime",
}
CROISSANT_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of the specification, word for word: readers warn of any other."""


def licences_in(package: Package) -> list[str]:
    """The licences of the sources in it, without repetition."""
    return sorted({source.licence for source in package.included})


# Frictionless Data Package


def data_package(package: Package) -> dict:
    """datapackage.json, by the profile of version 1, which validators of both versions read."""
    ours = {"name": OUR_LICENCE, "path": LICENCES[OUR_LICENCE], "title": f"{OUR_LICENCE}, for what is ours"}
    theirs = [
        {"name": name, "path": LICENCES[name], "title": f"{name}, for the figures of {_ids(package, name)}"}
        for name in licences_in(package)
    ]
    return {
        "profile": "data-package",
        "name": NAME,
        "title": TITLE,
        "description": f"{ABSTRACT} LICENSES.md says which licence holds for what, README.md what was left out.",
        "version": package.version,
        "created": package.created_at_utc,
        "keywords": KEYWORDS,
        "licenses": [ours, *theirs],
        "contributors": [{"title": AUTHOR, "role": "author"}],
        "sources": [_data_package_source(package, source) for source in package.included],
        "leftOut": [
            {
                "source_id": source.source_id,
                "title": source.title,
                "path": source.homepage,
                "licence": source.licence,
                "redistribution": source.redistribution,
                "reason": source.reason,
                "rows": package.n_left_out_of(source),
            }
            for source in package.sources
            if not source.may_be_passed_on
        ],
        "resources": [_resource(table) for table in package.tables],
    }


def _ids(package: Package, licence: str) -> str:
    return ", ".join(source.source_id for source in package.included if source.licence == licence)


def _data_package_source(package: Package, source: Source) -> dict:
    return {
        "title": source.title,
        "path": source.homepage,
        "source_id": source.source_id,
        "publisher": source.publisher,
        "credit": source.credit,
        "licenses": [{"name": source.licence, "path": source.licence_url}],
        "rows": package.n_rows_of(source),
    }


def _resource(table: PackedTable) -> dict:
    """A table. Its sha256 is not the property `hash`, which the official validator refuses of a Parquet file."""
    key = {"primaryKey": table.key} if table.key else {}
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": table.path,
        "description": table.description,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "sha256": table.sha256,
        "rows": table.n_rows,
        "rowsLeftOut": table.n_left_out,
        "rowsLeftOutBySource": table.left_out_by_source,
        "schema": {
            "fields": [_schema_field(field) for field in table.fields],
            **key,
            "missingValues": MISSING_VALUES,
        },
    }


def _schema_field(field: Field) -> dict:
    described = {"name": field.name, "type": field.type, "description": field.description}
    if field.unit:
        described["unit"] = field.unit
    constraints = {
        "required": None if field.may_be_empty else True,
        "minimum": _bound(field, field.low),
        "maximum": _bound(field, field.high),
        "enum": list(field.allowed) if field.allowed else None,
    }
    if given := {name: value for name, value in constraints.items() if value is not None}:
        described["constraints"] = given
    return described


def _bound(field: Field, value: float | None) -> float | int | None:
    """A bound in the type of its field."""
    return int(value) if value is not None and field.type == "integer" else value


# Croissant


def croissant(package: Package, code_version: str) -> dict:
    """croissant.json. Its version must be a semantic one: that of the code, with the release behind the plus sign."""
    licences = dict.fromkeys([LICENCES[OUR_LICENCE], *(LICENCES[name] for name in licences_in(package))])
    return {
        "@context": CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CROISSANT,
        "name": NAME,
        "description": ABSTRACT,
        "version": f"{code_version}+{re.sub('[^0-9A-Za-z-]', '-', package.version)}",
        "datePublished": package.created_at_utc[:10],
        "license": list(licences),
        "creator": {"@type": "sc:Organization", "name": AUTHOR},
        "keywords": KEYWORDS,
        "isLiveDataset": False,
        "citeAs": f"@misc{{joulebook, author = {{{{{AUTHOR}}}}}, title = {{{TITLE}}}, "
        f"year = {{{package.created_at_utc[:4]}}}, note = {{version {package.version}}}}}",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": table.path,
                "name": f"{table.name}.parquet",
                "description": table.description,
                "contentUrl": table.path,
                "contentSize": f"{table.size_bytes} B",
                "encodingFormat": "application/x-parquet",
                "sha256": table.sha256,
            }
            for table in package.tables
        ],
        "recordSet": [_record_set(table) for table in package.tables],
    }


def _record_set(table: PackedTable) -> dict:
    key = {"key": [{"@id": f"{table.name}/{name}"} for name in table.key]} if table.key else {}
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.description,
        **key,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{table.name}/{field.name}",
                "name": field.name,
                "description": field.description,
                "dataType": CROISSANT_TYPES[field.type],
                "source": {"fileObject": {"@id": table.path}, "extract": {"column": field.name}},
            }
            for field in table.fields
        ],
    }


# Citation File Format


def citation(package: Package) -> dict:
    """CITATION.cff: how to cite the package, and the sources that are in it."""
    return {
        "cff-version": "1.2.0",
        "message": "If you use these figures, please cite this package, and the sources of the rows that you use.",
        "type": "dataset",
        "title": TITLE,
        "abstract": ABSTRACT,
        "authors": [{"name": AUTHOR}],
        "version": package.version,
        "date-released": package.created_at_utc[:10],
        "license": OUR_LICENCE,
        "keywords": KEYWORDS,
        "references": list(_references(package.included)),
    }


def _references(sources: Iterable[Source]) -> Iterable[dict]:
    for source in sources:
        yield {
            "type": "data",
            "title": source.title,
            "authors": [{"name": source.publisher}],
            "url": source.homepage,
            "license": source.licence,
            "notes": source.credit,
        }
