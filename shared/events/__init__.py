"""Events on `carillon.events`: what the data of each type holds (docs/design.md 2, docs/events.md)."""
