"""Video-prediction models: one package each, beside their baselines, wrappers and checkpoints."""
