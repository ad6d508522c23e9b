"""blastdoor: a static analyser that says how far an infrastructure change reaches."""

__version__ = "0.1.0"
