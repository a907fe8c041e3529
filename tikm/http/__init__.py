"""What concerns every request and response: headers, limits, and addresses that are no pages."""
