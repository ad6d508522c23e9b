"""Text to trees with exact spans; each module here is the only importer of its library."""
