"""The ops API: apps, campaigns, sends, dead letters."""
