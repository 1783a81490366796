"""Authorisation: from a client's request to one answer, over one stored flow."""
