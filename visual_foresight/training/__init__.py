"""The room that learns: clips from episodes, teachers, a curriculum, losses, and one loop for every predictor."""
