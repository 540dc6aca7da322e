"""The report page of `evaluate prediction`."""
