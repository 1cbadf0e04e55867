"""Ingest: takes events of visitors, servers and OneSignal, and derives profiles from them."""
