"""The room that gathers experience: an exploration policy in envs, in parallel, written as episodes."""
