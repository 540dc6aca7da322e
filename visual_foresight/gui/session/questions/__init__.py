"""What models are asked: a fan of futures, how wrong one was, and two beside one another."""
