"""The pushing table: a Franka Panda with a finger, in PyBullet."""
