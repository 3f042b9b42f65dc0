"""What `make bench` runs: measures storewatch and its peers, and writes docs/benchmarks.md whole."""
