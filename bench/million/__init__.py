"""`make bench-million`: fleets up to a million stores, an hourly poll of each for a week."""
