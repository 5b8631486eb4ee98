"""Tables in our ids and units, one meaning a column. What cannot be used stands in core.rejected with its reason."""
