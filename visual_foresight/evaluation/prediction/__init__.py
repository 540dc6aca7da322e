"""How well recorded episodes are predicted: `evaluate prediction`."""
