"""Hours of use in minutes: `make test-load`. On its own, not in CI."""
