"""Regions: countries by code or name, cloud regions by the part behind their provider or by their place."""

import shutil

import duckdb
import pytest

from pipelines.home import FILE_NAME
from pipelines.reader.book import Book
from pipelines.reader.errors import ReaderError
from pipelines.reader.question import find_area

CLOUD = [
    ("Amazon Web Services us-east-1", "Virginia"), ("Google Cloud us-east4", "Virginia"),
    ("Google Cloud europe-north1", "Finland"), ("Google Cloud us-west1", "Oregon"), ("Other Cloud eu-1", "Hamina"),
    ("Third Cloud eu-1", "Kotka"),
]  # fmt: skip


@pytest.fixture(scope="module")
def with_cloud(book, tmp_path_factory):
    """The file as it is once the cloud regions were taken."""
    file = tmp_path_factory.mktemp("cloud") / FILE_NAME
    shutil.copy(book / FILE_NAME, file)
    with duckdb.connect(str(file)) as changed:
        for area_id, place in CLOUD:
            changed.execute(
                "insert into grids by name select $1 as area_id, $2 as area_name, 'cloud region' as area_kind,"
                " 2024 as year, 300.0 as carbon_gco2e_per_kwh, true as is_default_carbon, false as is_default_water",
                [area_id, place],
            )
    with Book(file) as found:
        yield found


@pytest.mark.parametrize(
    ("asked", "area_id"),
    [
        ("us-east-1", "Amazon Web Services us-east-1"),
        ("US-EAST4", "Google Cloud us-east4"),
        ("google cloud us-west1", "Google Cloud us-west1"),
        ("Oregon", "Google Cloud us-west1"),
        ("Finland", "FIN"),
        ("swe", "SWE"),
    ],
)
def test_a_region_is_found(with_cloud, asked, area_id):
    assert find_area(with_cloud, asked)["area_id"] == area_id


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("Virginia", "ask for 'Amazon Web Services us-east-1' or 'Google Cloud us-east4'"),
        ("eu-1", "ask for 'Other Cloud eu-1' or 'Third Cloud eu-1'"),
        ("us-east", "did you mean Google Cloud us-east4 (Virginia) or Amazon Web Services us-east-1 (Virginia)?"),
    ],
)
def test_a_region_of_several_is_refused_with_the_choices(with_cloud, asked, says):
    with pytest.raises(ReaderError) as refused:
        find_area(with_cloud, asked)
    assert says in str(refused.value)
    assert "which this file lacks" not in str(refused.value)
