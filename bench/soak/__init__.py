"""A day in the life of a fleet of 14,092 stores, in fast time: `make soak`."""
