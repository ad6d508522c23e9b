"""Many repositories at once: a worker process for each, a ledger, a store, and questions to ask it."""
