"""The licence store: types, issuing, documents, QR codes, status and the public answer about each licence."""
