"""The planning room: planners, costs, locators, and the controllers made of them.

It sees models only through `visual_foresight.interfaces`.
"""
