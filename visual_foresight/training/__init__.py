"""Training: clips of episodes, teachers, a curriculum, losses, one loop for all predictors."""
