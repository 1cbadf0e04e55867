"""The sender's models: triggers, campaigns, sends, reports, and the pure rules about them."""
