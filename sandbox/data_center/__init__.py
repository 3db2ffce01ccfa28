"""The stand-in of one Confluence Data Center server, under a context path."""
