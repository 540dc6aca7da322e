"""One scene, one goal, one run at a time: all that the page shows and steers.

No web toolkit in here.
"""
