"""An example notebook: `marimo edit docs/notebook.py`, or as a script, `python docs/notebook.py`.

It reads the published file alone: `make refresh` first. A test runs it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App()


@app.cell
def _():
    import altair as alt
    import marimo as mo
    import polars as pl

    from pipelines.reader.frames import table

    return alt, mo, pl, table


@app.cell
def _(mo):
    mo.md("""
    # Energy of a query

    Every figure is in Wh **at the facility** (server times PUE), on a saturated server, by method serving-time, unless
    a column says otherwise. Where `evidence` is *predicted*, no benchmark reaches as far.
    """)


@app.cell
def _(mo):
    input_tokens = mo.ui.slider(100, 20_000, step=100, value=500, label="tokens in", show_value=True)
    output_tokens = mo.ui.slider(50, 4_000, step=50, value=300, label="tokens out", show_value=True)
    load = mo.ui.slider(0.1, 1.0, step=0.1, value=1.0, label="load", show_value=True)
    mo.vstack([input_tokens, output_tokens, load])
    return input_tokens, load, output_tokens


@app.cell
def _(input_tokens, load, output_tokens, pl, table):
    energies = (
        table("energy_of", None, input_tokens.value, output_tokens.value, load=load.value)
        .filter(pl.col("boundary") == "facility")
        .sort("energy_wh_per_query")
        .select("model_id", "accelerator_id", "n_accelerators", "precision", pl.col("^energy_wh.*$"), "evidence")
    )
    energies
    return (energies,)


@app.cell
def _(alt, energies):
    base = alt.Chart(energies).encode(y=alt.Y("model_id", sort=None, title=None))
    low_high = base.mark_rule().encode(
        x=alt.X("energy_wh_per_query_lo90", scale=alt.Scale(type="log"), title="Wh per query, 90 % interval"),
        x2="energy_wh_per_query_hi90",
    )
    central = base.mark_point(filled=True).encode(x="energy_wh_per_query", shape="evidence", color="evidence")
    chart = low_high + central
    chart
    return (chart,)


@app.cell
def _(pl, table):
    # where the interval of the default estimates comes from
    causes = (
        table("energy_per_query_default")
        .filter(pl.col("workload_id") == "traditional")
        .select(pl.col("^interval_share_.*$").mean().round(2))
    )
    causes
    return (causes,)


@app.cell
def _(pl, table):
    # a million queries a day, one in ten long, in four countries
    fleets = pl.concat(
        table("fleet_of", 1e6, long_share=0.1, area=area).select(
            pl.lit(area).alias("area_id"),
            "energy_gwh_per_day",
            "carbon_tco2e_per_day",
            "on_site_water_m3_per_day",
            "grid_water_m3_per_day",
        )
        for area in ("SWE", "FRA", "USA", "IND")
    )
    fleets
    return (fleets,)


if __name__ == "__main__":
    app.run()
