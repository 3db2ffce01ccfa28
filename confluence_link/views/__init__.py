"""What people see: each view loads, asks once, and draws.

No view decides about tokens, and none shows a text that a remote server sent as
the reason of a failure: `outcomes` has our own words for every one of them.
"""
