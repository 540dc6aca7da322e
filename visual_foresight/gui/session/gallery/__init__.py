"""The gallery of kept runs: their pictures and notes, which are listed, and what deleting takes."""
