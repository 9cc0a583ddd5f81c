"""Charts: Vega-Lite specs of results."""
