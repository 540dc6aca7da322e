"""The state and the jobs behind the page: one scene, one goal, one trial at a time.

Nothing in here knows the web toolkit.
"""
