"""Environments: one file or package each. Importing this registers all of them with Gymnasium."""

from visual_foresight.envs.registry import register

register()
