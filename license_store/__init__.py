"""E-licences: types, issuing, status, and the page behind the QR."""
