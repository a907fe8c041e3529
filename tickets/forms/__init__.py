"""Forms of the pages and, for filters, of the API."""
