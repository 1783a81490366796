"""The token endpoint: one file a grant, one row in the server's table."""
