"""Tables of the identity provider and the SQL on them: records in, records out; never a transaction of its own."""
