"""How episodes lie on disk: one file per format."""
