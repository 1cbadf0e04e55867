"""Send → pages of members, with their rendered bodies."""
