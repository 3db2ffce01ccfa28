"""What a Confluence holds, the same for a Cloud site and a Data Center server:
spaces, pages, their bodies, and search."""
