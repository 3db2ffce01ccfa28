"""The stand-in of Atlassian Cloud: authorization server, identity, gateway and
the sites' own pages, all on one port."""
