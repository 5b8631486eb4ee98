"""Where published bytes come from: the catalogue, polite HTTP, snapshots with their ledger, last known good.

Parsing does not belong here (each raw table parses its own bytes), nor does anything Dagster.
"""
