"""What the sender knows: triggers, campaigns, sends, pages. Pure rules live beside their shapes."""
