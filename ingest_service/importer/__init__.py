"""Subscribers that a shop has already: OneSignal's CSV export, row by row, as events on the log."""
