"""The room that shows: one page in a browser, and the session behind it.

`view` knows the screen, `goals` what was clicked, `session` runs the loop in a thread and knows
no web toolkit; `page` and its panels only draw the session's state and call its verbs.
"""
