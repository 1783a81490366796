"""OpenID Connect provider with graded real-name identities."""
