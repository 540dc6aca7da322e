"""An example of a package that brings parts for Visual Foresight: one file for each."""
