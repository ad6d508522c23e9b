"""How findings leave: one module per output format, each a function of a report and the rules."""
