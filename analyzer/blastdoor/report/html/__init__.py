"""The report as one HTML file: a page without a network, its style sheet and its script."""
