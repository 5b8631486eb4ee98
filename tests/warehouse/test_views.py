"""Views and macros of the published file: their shape is their contract, their figures are those of the commands."""

import itertools

import duckdb
import pytest

from assets.published.views import CONFIGURATION_OF, VIEWS
from pipelines.home import FILE_NAME
from pipelines.reader.book import Book
from pipelines.reader.compute import compute
from pipelines.reader.fleet import FleetQuestion, fleet_of
from pipelines.reader.question import BOUNDARIES, KEY, Question, ask, choose, find_area

MODEL = "llama-3.1-405b"
CALLS = {
    "energy_per_query_as_of": "energy_per_query_as_of(1)",
    "configuration_of": "configuration_of(NULL)",
    "energy_of": "energy_of(NULL, 500, 300)",
    "boundary_factors": "boundary_factors(NULL)",
    "fleet_of": "fleet_of(1e9, long_share := 0.1, model := NULL)",
}
LENGTHS = [(500, 300, 0), (9000, 300, 8000), (30_000, 9_000, 0), (50, 20, 50), (1, 1, 0), (500, 300, 1), (500, 20, 0)]
EXACT = 1e-9


@pytest.fixture(scope="module")
def file(book):
    with duckdb.connect(str(book / FILE_NAME), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def opened(book):
    with Book(book / FILE_NAME) as found:
        yield found


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_rows_keep_the_contract(file, view):
    frame = file.sql(f"FROM {CALLS.get(view.name, view.name)}").pl()
    conformed = view.table.conform(frame)  # names, types, no NaN
    assert frame.columns == list(view.table.schema)
    assert conformed.height > 0
    assert not conformed.select(view.table.grain).is_duplicated().any()
    for column in view.table.columns:
        values = conformed[column.name]
        assert column.nullable or values.null_count() == 0, column.name
        assert column.low is None or (values.drop_nulls() >= column.low).all(), column.name
        assert column.high is None or (values.drop_nulls() <= column.high).all(), column.name
        assert column.allowed is None or set(values.drop_nulls()) <= set(column.allowed), column.name


def test_all_are_commented_and_in_the_dictionary(file):
    views = dict(file.sql("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall())
    macros = dict(
        file.sql(
            "SELECT function_name, comment FROM duckdb_functions() "
            "WHERE function_type = 'table_macro' AND schema_name = 'main' AND NOT internal"
        ).fetchall()
    )
    assert views | macros == {view.name: view.comment for view in VIEWS}
    for view in VIEWS:
        columns = file.execute(
            "SELECT column_name, kind FROM columns WHERE table_name = ? ORDER BY position", [view.name]
        ).fetchall()
        assert columns == [(name, view.kind) for name in view.table.schema]
        for parameter in view.parameters:
            assert f"{parameter.name}: {parameter.meaning}" in view.comment
    uncommented = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
    assert file.sql(uncommented).fetchall() == []


def pairs_of(opened) -> list[tuple[str, str | None]]:
    """Every model by default, and on each accelerator it has a fit on."""
    fitted = opened.rows("select distinct model_id, accelerator_id from serving_fits where ln_prefill is not null")
    pairs = [(row["model_id"], row["accelerator_id"]) for row in fitted]
    return [*sorted({(model, None) for model, _ in pairs}), *sorted(pairs)]


def test_the_configuration_is_the_one_that_the_commands_choose(opened):
    compared = 0
    for model, accelerator in pairs_of(opened):
        rows = opened.rows("from configuration_of(?, accelerator := ?)", model, accelerator)
        for row in rows:
            chosen, _ = choose(opened, model, accelerator, "serving-time", row["boundary"])
            assert [row[name] for name in KEY] == [chosen[name] for name in KEY], (model, accelerator)
            compared += 1
    assert compared > 150


def answers(opened, model, accelerator, lengths, load):
    """Boundary and row of `joulebook estimate`, where it answers."""
    for boundary in BOUNDARIES:
        question = Question(model, accelerator, *lengths, load=load, boundary=boundary)
        yield boundary, compute(opened, opened.assumptions(), ask(opened, question))


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("load", [1.0, 0.37])
def test_energy_of_agrees_with_estimate(opened, lengths, load):
    l_in, l_out, cached = lengths
    models = [("llama-3.1-405b", None), ("deepseek-r1", None), ("llama-3.3-70b", "gb200"), ("gpt-oss-120b", None)]
    for model, accelerator in models:
        rows = opened.rows(
            "from energy_of(?, ?, ?, cached_tokens := ?, accelerator := ?, load := ?)",
            model, l_in, l_out, cached, accelerator, load,
        )  # fmt: skip
        found = {row["boundary"]: row for row in rows}
        assert set(found) == set(BOUNDARIES)
        for boundary, computed in answers(opened, model, accelerator, lengths, load):
            ours, theirs = found[boundary], computed.row
            for end in ("", "_lo90", "_hi90"):
                expected = pytest.approx(theirs[f"energy_wh_per_query_p50{end}"], rel=EXACT)
                assert ours[f"energy_wh_per_query{end}"] == expected, (model, boundary, end)
            assert ours["power_w"] == pytest.approx(theirs["power_w"], rel=EXACT)
            assert ours["pue"] == pytest.approx(theirs["pue"], rel=EXACT)
            seconds = pytest.approx(theirs["accelerator_s_per_query_mean"], rel=EXACT)
            assert ours["accelerator_s_per_query"] == seconds
            assert (ours["is_extrapolated"], ours["evidence"]) == (theirs["is_extrapolated"], theirs["evidence"])


def test_energy_of_every_model_is_that_of_each(opened):
    every = opened.rows("from energy_of(NULL, 2000, 500) order by model_id, boundary")
    models = sorted({row["model_id"] for row in every})
    each = [opened.rows("from energy_of(?, 2000, 500) order by boundary", model) for model in models]
    assert len(models) > 15
    assert every == list(itertools.chain(*each))


def test_boundary_factors_convert_what_estimate_says(opened):
    factors = {
        (f["from_boundary"], f["to_boundary"]): f["factor"] for f in opened.rows(f"from boundary_factors('{MODEL}')")
    }
    wh = {
        boundary: compute(opened, opened.assumptions(), ask(opened, Question(MODEL, boundary=boundary))).row
        for boundary in BOUNDARIES
    }
    assert set(factors) == set(itertools.permutations(BOUNDARIES, 2))
    for (start, end), factor in factors.items():
        ratio = wh[end]["energy_wh_per_query_p50"] / wh[start]["energy_wh_per_query_p50"]
        assert factor == pytest.approx(ratio, rel=EXACT)


@pytest.mark.parametrize(
    ("queries", "long_share", "model", "load", "area"),
    [(1e9, 0.1, MODEL, 1.0, "WOR"), (2.5e6, 0.0, "deepseek-r1", 0.5, "SWE"), (1e9, 1.0, MODEL, 0.2, "FRA")],
)
def test_fleet_of_agrees_with_fleet(opened, queries, long_share, model, load, area):
    (row,) = opened.rows(
        "from fleet_of(?, long_share := ?, model := ?, load := ?, area := ?)", queries, long_share, model, load, area
    )
    fleet, configuration, _ = fleet_of(opened, FleetQuestion(queries, long_share, model, load=load))
    from pipelines.energy.impacts import ImpactFactors

    impacts = fleet.impacts(find_area(opened, area), ImpactFactors.of(opened.assumptions()))
    assert row["accelerator_id"] == configuration["accelerator_id"]
    ends = [row[f"energy_gwh_per_day{end}"] for end in ("", "_lo90", "_hi90")]
    assert ends == pytest.approx(fleet.energy_gwh_per_day, rel=EXACT)
    assert row["accelerators_needed"] == pytest.approx(fleet.accelerators[0], rel=EXACT)
    assert row["peak_kw"] == pytest.approx(fleet.peak_mw[0] * 1e3, rel=EXACT)
    assert row["carbon_tco2e_per_day"] == pytest.approx(impacts["carbon_gco2e"][0], rel=EXACT)
    assert row["on_site_water_m3_per_day"] == pytest.approx(impacts["on_site_water_ml"][0], rel=EXACT)
    assert row["grid_water_m3_per_day"] == pytest.approx(impacts["grid_water_ml"][0], rel=EXACT)


def test_assumptions_in_force_are_those_of_the_commands(file, opened):
    assumed = opened.assumptions()
    rows = file.sql("SELECT assumption_id, value FROM assumptions_in_force").fetchall()
    assert len(rows) > 50
    assert all(assumed.value(name) == value for name, value in rows)


def test_a_later_assumption_holds_from_its_day(tmp_path):
    (view,) = (view for view in VIEWS if view.name == "assumptions_in_force")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE assumptions (assumption_id TEXT, value DOUBLE, valid_from TEXT)")
        dated = [("a", 1, "2020-01-01"), ("a", 2, "2021-01-01"), ("a", 3, "9999-01-01"), ("b", 4, "9999-01-01")]
        connection.executemany("INSERT INTO assumptions VALUES (?, ?, ?)", dated)
        connection.execute(view.create)
        assert connection.sql("SELECT assumption_id, value FROM assumptions_in_force").fetchall() == [("a", 2)]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("energy_of('llama', 500, 300)", "energy_of: no fit of llama, see model_id"),
        (f"energy_of('{MODEL}', 500, 300, accelerator := 'tpu')", f"no fit of {MODEL} on tpu"),
        (f"energy_of('{MODEL}', 500, 0)", "must be 1 or more"),
        (f"energy_of('{MODEL}', NULL, 300)", "must be 1 or more"),
        (f"energy_of('{MODEL}', 500, 300, cached_tokens := 501)", "give 0 to input_tokens"),
        (f"energy_of('{MODEL}', 500, 300, load := 0)", "from 0.01 up to 1"),
        (f"energy_of('{MODEL}', 500, 300, load := 1e-320)", "from 0.01 up to 1"),
        (f"energy_of('{MODEL}', 500, 40961)", "over ten times the longest benchmarked"),
        (f"energy_of('{MODEL}', 200001, 300)", "over ten times the longest benchmarked"),
        ("boundary_factors('llama')", "boundary_factors: no estimate of llama"),
        (f"boundary_factors('{MODEL}', workload := 'chat')", "for workload chat"),
        (f"boundary_factors('{MODEL}', load := 0.3)", "at load 0.3"),
        ("energy_per_query_as_of(0)", "no release 0, the latest is 1"),
        ("energy_per_query_as_of(99)", "no release 99, the latest is 1"),
        ("fleet_of(0)", "fleet_of: queries_per_day must be above 0"),
        ("fleet_of(1e9, long_share := 2)", "a share from 0 to 1"),
        ("fleet_of(1e9, model := 'llama')", "fleet_of: no fit of llama"),
        ("fleet_of(1e9, load := 0.3)", "joulebook fleet answers at any"),
        ("fleet_of(1e9, area := 'Sweden')", "no area Sweden, see area_id of grids"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(file, call, says):
    with pytest.raises(duckdb.InvalidInputException) as refused:
        file.sql(f"FROM {call}").fetchall()
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "call", ["energy_of(m.model_id, 500, 300)", "boundary_factors(m.model_id)", "fleet_of(1e9, model := m.model_id)"]
)
def test_columns_of_another_table_are_refused_as_arguments(file, call):
    with pytest.raises(duckdb.BinderException, match="Correlated columns"):
        file.sql(f"FROM models AS m, {call}").fetchall()


def test_attached_under_another_name_they_work_once_in_use(book):
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{book / FILE_NAME}' AS other (READ_ONLY)")
        connection.execute("USE other")
        assert len(connection.sql(f"FROM energy_of('{MODEL}', 500, 300)").fetchall()) == len(BOUNDARIES)


def test_a_macro_is_declared_as_it_is_called():
    assert CONFIGURATION_OF.signature == "configuration_of(model, accelerator := NULL)"
    assert CONFIGURATION_OF.create.startswith("create macro configuration_of(model, accelerator := NULL) as table --")
