"""Two models beside one another: what each imagines of the same actions, and how right it was."""
