"""Analytics of tracked time: summary, heatmap and streak."""
