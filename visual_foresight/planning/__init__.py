"""Planning: planners, costs, locators, and the controllers made of them.

It knows models only through `visual_foresight.interfaces`.
"""
