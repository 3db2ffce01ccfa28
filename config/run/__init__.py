"""Starts things: the demo, a developer's processes, servers for tests.

Nothing of the product imports this package.
"""
