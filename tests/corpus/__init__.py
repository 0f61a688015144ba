"""`./desk corpus [DIR]`: thousands of real and nasty mails through the contained reader and the real intake, and what
other readers say about them.
"""
