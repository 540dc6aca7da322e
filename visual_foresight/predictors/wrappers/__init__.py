"""Predictors that wrap other predictors."""
