"""The prediction: what a plan is imagined to show, and the timeline."""
