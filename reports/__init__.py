"""The memory: the record of a run, its verdict, and the reports drawn from it."""
