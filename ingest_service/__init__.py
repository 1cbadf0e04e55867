"""Takes what visitors, servers and OneSignal report, and derives profiles from it."""
