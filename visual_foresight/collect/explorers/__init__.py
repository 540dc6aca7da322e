"""How the robot moves when it has no goal: one file each."""
