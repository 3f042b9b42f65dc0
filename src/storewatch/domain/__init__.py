"""The pure heart: what the numbers mean. No SQL, files, clock, environment or logging in here.

Times are int64 microseconds since the Unix epoch, UTC. Intervals are half-open. Store keys in
arrays are positions (0 … stores - 1) in whatever list of stores the caller holds.
"""
