"""What the floors share and that knows no business noun: errors, clock, principal, database, audit, objects, pages."""
