"""The tab of the kept runs: a gallery that is searched, exported from and compared in."""
