"""A Table's promise as a Great Expectations suite, and the running of it.

Great Expectations takes seconds to import, so it is imported inside the functions: never when the code location
loads or the command line starts. It runs on pandas frames, the one engine that does all the work.
"""

import math
import os
import threading
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.tables.contract import CheckName, Table

FIRST_FAILING_ROWS = 20
_RULE_PREFIX = "rule: "
_lock = threading.Lock()
_batch_definition = None


class ValidatorError(Exception):
    """An expectation that could not be evaluated: a defect of ours, not of the data."""


@dataclass(frozen=True)
class Failure:
    """One broken promise: which check, what was expected, what was found as text, and the first failing rows."""

    check: CheckName
    expectation: str
    found: str
    rows: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What was found, a row a line where there are rows."""
        return self.rows or (self.found,)

    def __str__(self) -> str:
        return f"{self.expectation}: {self.found}"


def prepare() -> None:
    """Import Great Expectations and make its context, ahead of the first suite."""
    _definition()


def suite_of(table: Table) -> list[tuple[CheckName, str, Any]]:
    """The suite of a table: (check, sentence, expectation), in the order of the columns."""
    _definition()
    from great_expectations import expectations as gxe  # noqa: PLC0415

    suite: list[tuple[CheckName, str, Any]] = []

    def expect(check: CheckName, sentence: str, kind: str, **arguments: Any) -> None:
        meta = {"index": len(suite)}
        suite.append((check, sentence, getattr(gxe, kind)(meta=meta, **arguments)))

    names = [column.name for column in table.columns] + [_RULE_PREFIX + rule.sentence for rule in table.rules]
    expect("contract", "columns in the declared order", "ExpectTableColumnsToMatchOrderedList", column_list=names)
    expect("contract", f"at least {table.min_rows} rows", "ExpectTableRowCountToBeBetween", min_value=table.min_rows)
    if len(table.grain) == 1:
        expect("contract", f"{table.grain[0]} is unique", "ExpectColumnValuesToBeUnique", column=table.grain[0])
    else:
        sentence = f"({', '.join(table.grain)}) is unique"
        grain = list(table.grain)
        expect(
            "contract",
            sentence,
            "ExpectCompoundColumnsToBeUnique",
            column_list=grain,
            ignore_row_if="never",
        )
    for column in table.columns:
        name = column.name
        if not column.nullable:
            expect("contract", f"{name} is never empty", "ExpectColumnValuesToNotBeNull", column=name)
        if column.low is not None or column.high is not None:
            sentence = f"{name} between {column.low} and {column.high}" + (f" {column.unit}" if column.unit else "")
            bounds = {"min_value": column.low, "max_value": column.high}
            expect("contract", sentence, "ExpectColumnValuesToBeBetween", column=name, **bounds)
        if column.allowed is not None:
            sentence = f"{name} is one of {', '.join(column.allowed)}"
            expect("contract", sentence, "ExpectColumnValuesToBeInSet", column=name, value_set=list(column.allowed))
    for needed in table.coverage:
        sentence = f"{needed.column} contains {', '.join(needed.values)}"
        kind = "ExpectColumnDistinctValuesToContainSet"
        expect("coverage", sentence, kind, column=needed.column, value_set=list(needed.values))
    for rule in table.rules:
        name = _RULE_PREFIX + rule.sentence
        expect(rule.check, rule.sentence, "ExpectColumnValuesToBeInSet", column=name, value_set=[True])
    return suite


def validate(table: Table, frame: pl.DataFrame) -> list[Failure]:
    """The promises of `table` that `frame` breaks; empty where it keeps them all.

    Runs once without details, and again with them only when something failed. Raises ValidatorError where an
    expectation itself ended in an exception, which Great Expectations would report as a plain failure.
    """
    suite = suite_of(table)
    rules = [rule.holds.fill_null(True).alias(_RULE_PREFIX + rule.sentence) for rule in table.rules]
    try:
        checked = frame.with_columns(rules) if rules else frame
    except pl.exceptions.PolarsError as error:
        raise ValidatorError(f"{table.name}: a rule cannot be evaluated: {error}") from error
    with _lock:
        batch = _definition().get_batch(batch_parameters={"dataframe": checked.to_pandas()})
        if _run(batch, table, suite, "BOOLEAN_ONLY").success:
            return []
        detailed = _run(batch, table, suite, {"result_format": "COMPLETE", "include_unexpected_rows": False})
    failures = []
    shows = {rule.sentence: rule.show for rule in table.rules}
    for result in detailed.results:
        check, sentence, _ = suite[result.expectation_config.meta["index"]]
        _raise_exception(table, sentence, result)
        if not result.success:
            failures.append(Failure(check, sentence, *_found(checked, table, result.result, shows.get(sentence))))
    return failures


def _definition() -> Any:
    global _batch_definition  # noqa: PLW0603  (one ephemeral context for the process: making one costs a second)
    if _batch_definition is None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        import great_expectations as gx  # noqa: PLC0415

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
        _batch_definition = asset.add_batch_definition_whole_dataframe("whole")
    return _batch_definition


def _run(batch: Any, table: Table, suite: list, result_format: Any) -> Any:
    import great_expectations as gx  # noqa: PLC0415

    expectations = [expectation for _, _, expectation in suite]
    return batch.validate(gx.ExpectationSuite(name=table.name, expectations=expectations), result_format=result_format)


def _raise_exception(table: Table, sentence: str, result: Any) -> None:
    info = result.exception_info or {}
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry.get("raised_exception"):
            raise ValidatorError(f"{table.name}: could not evaluate '{sentence}': {entry.get('exception_message')}")


def _found(frame: pl.DataFrame, table: Table, result: dict[str, Any], show: str | None) -> tuple[str, tuple[str, ...]]:
    """The failing rows by their grain and value (that of column `show` where it is given), or the observed value."""
    indices = result.get("unexpected_index_list")
    if indices:
        first = frame[[int(index) for index in indices[:FIRST_FAILING_ROWS]]]
        rows = first.select(table.grain).rows()
        values = first[show].to_list() if show else result.get("unexpected_list") or []
        shown = [f"{row} has {_shown(value)}" for row, value in zip(rows, values, strict=False)]
        shown = shown or [str(row) for row in rows]
        return f"{len(indices)} rows: " + "; ".join(shown), tuple(shown)
    if missing := result.get("partial_missing_list"):
        return f"missing {', '.join(str(value) for value in missing)}", ()
    mismatched = (result.get("details") or {}).get("mismatched")
    return f"found {mismatched or result.get('observed_value')}", ()


def _shown(value: Any) -> str:
    return "nothing" if value is None or (isinstance(value, float) and math.isnan(value)) else repr(value)
