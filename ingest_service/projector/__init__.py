"""The projector: derives profiles and the player ledger from the log."""
