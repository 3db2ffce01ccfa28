"""`make bench`: what a refresh costs, beside the usual ways to do it."""
