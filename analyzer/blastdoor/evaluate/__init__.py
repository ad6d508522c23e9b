"""Trees to values: what an expression is known to be, without running anything."""
