"""Parts that several predictors are built from."""
