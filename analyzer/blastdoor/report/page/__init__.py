"""A report as one page of HTML: no network, nothing but itself."""
