"""People and their organizations: who someone is, and for whom they act."""
