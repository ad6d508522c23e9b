"""The human-review gate: a change that reaches further needs the word of a second person."""
