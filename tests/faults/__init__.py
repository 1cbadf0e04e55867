"""Kill anything, freeze anything, and count: docs/faults.md."""
