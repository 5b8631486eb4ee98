"""The catalogue of sources: what stands in it is usable, and a mistake in it names the entry and the field."""

import importlib

import pytest
import yaml

from pipelines.sources.catalogue import CATALOGUE_PATH, load_catalogue
from pipelines.sources.errors import SourceError

ENTRIES = yaml.safe_load(CATALOGUE_PATH.read_text(encoding="utf-8"))


def refused(tmp_path, entries) -> SourceError:
    path = tmp_path / "sources.yaml"
    path.write_text(entries if isinstance(entries, str) else yaml.safe_dump(entries), encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        load_catalogue(path)
    assert caught.value.source_id == "sources.yaml"
    return caught.value


def test_every_parser_names_a_raw_table_with_a_parser(catalogue):
    for source in catalogue.values():
        module = importlib.import_module(f"assets.{source.parser}")
        assert module.TABLE.name == source.parser
        assert callable(module.parse)


def test_no_two_sources_share_a_parser_or_a_file(catalogue):
    parsers = [source.parser for source in catalogue.values()]
    urls = [document.place for source in catalogue.values() for document in source.documents]
    assert len(set(parsers)) == len(parsers)
    assert len(set(urls)) == len(urls)


def test_every_address_is_https(catalogue):
    for source in catalogue.values():
        addresses = [source.homepage, source.licence.url, *(document.url for document in source.documents)]
        assert {address.scheme for address in addresses} == {"https"}


def test_a_source_that_may_not_be_redistributed_is_not_kept(catalogue):
    assert not [s.source_id for s in catalogue.values() if s.keep_extract and s.licence.redistribution == "forbidden"]


def test_releases_of_a_source_are_distinct_text(catalogue):
    for source in catalogue.values():
        releases = [document.release for document in source.documents]
        assert all(isinstance(release, str) for release in releases)
        assert len(set(releases)) == len(releases)


MISTAKES = {
    # name: (change of one entry, field named)
    "an extra field": (lambda e: e | {"colour": "blue"}, "colour"),
    "a field gone": (lambda e: {k: v for k, v in e.items() if k != "credit"}, "credit"),
    "an extra field below": (lambda e: e | {"licence": e["licence"] | {"spdx": "MIT"}}, "licence.spdx"),
    "an unknown format": (lambda e: e | {"format": "parquet"}, "format"),
    "an unknown boundary": (lambda e: e | {"boundary": "rack"}, "boundary"),
    "no document": (lambda e: e | {"documents": []}, "documents"),
    "a release that YAML reads as a number": (
        lambda e: e | {"documents": [e["documents"][0] | {"release": 1.0}]},
        "documents.0.release",
    ),
    "a url that is none": (lambda e: e | {"homepage": "nowhere"}, "homepage"),
    "a size of nothing": (lambda e: e | {"max_bytes": 0}, "max_bytes"),
    "a loss of everything": (lambda e: e | {"max_row_loss_share": 1}, "max_row_loss_share"),
    "no word on lost rows": (
        lambda e: {name: value for name, value in e.items() if name != "max_row_loss_share"},
        "max_row_loss_share",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_the_entry_and_the_field(tmp_path, mistake):
    change, field = MISTAKES[mistake]
    error = refused(tmp_path, ENTRIES | {"trtllm_perf": change(ENTRIES["trtllm_perf"])})
    assert error.place == "trtllm_perf"
    assert error.problem.startswith(f"field {field}: ")


def test_an_entry_without_fields_is_named(tmp_path):
    assert refused(tmp_path, ENTRIES | {"new_source": None}).place == "new_source"


@pytest.mark.parametrize("text", ["a: [", "- one\n- two\n", "just text"])
def test_a_file_that_is_no_catalogue_is_an_error(tmp_path, text):
    assert refused(tmp_path, text).place == "whole file"


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.yaml: whole file"):
        load_catalogue(tmp_path / "gone.yaml")
