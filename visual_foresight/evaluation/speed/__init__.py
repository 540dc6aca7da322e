"""How long planning, imagining and learning take: `evaluate speed` and `evaluate throughput`."""
