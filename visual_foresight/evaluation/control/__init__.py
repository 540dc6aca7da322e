"""How well controllers solve seeded tasks: `evaluate control`."""
