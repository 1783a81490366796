"""Letters: approval results, decisions and attestations, one template and a row of data for each of them."""
