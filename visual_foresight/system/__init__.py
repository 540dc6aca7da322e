"""What the program wants of the machine: files, processes, devices, memory.

It knows nothing of robots.
"""
