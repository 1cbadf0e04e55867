"""Plan sends: pages of members, with their rendered bodies."""
