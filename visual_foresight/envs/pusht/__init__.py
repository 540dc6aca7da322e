"""The world `pusht`: a round agent pushes a T over a table, seen from straight above."""
