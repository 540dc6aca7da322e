"""The tabs: one file per tab."""
