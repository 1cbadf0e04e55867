"""Documents that both services read, with their stored names (docs/design.md 3.2)."""
