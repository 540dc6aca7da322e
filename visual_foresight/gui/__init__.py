"""The web page: watch the robot, give it a goal, and see what the model imagines.

Three floors: `server` listens and lets in, `page` draws, `session` drives the control loop in a
thread of its own. The session does not know the web toolkit.
"""
