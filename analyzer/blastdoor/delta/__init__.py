"""What changed between two revisions: facts against facts, on every axis."""
