"""Affairs: what is to be done with a seal, proposed by one person and decided by others (办件, four eyes)."""
