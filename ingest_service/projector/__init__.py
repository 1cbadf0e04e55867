"""Derives profiles and the player ledger from the log. Pure rules, one store, one stage."""
