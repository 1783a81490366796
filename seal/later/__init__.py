"""Later: time stamps that nobody gave when a document was sealed, and that follow once somebody does."""
