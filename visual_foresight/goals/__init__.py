"""What a trial is to reach: one file each, which draws, measures and writes itself.

The loop, the judge, the locators and the page know the protocol `types.Goal` only.
"""
