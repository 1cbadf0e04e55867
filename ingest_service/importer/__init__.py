"""The importer: rows of OneSignal's CSV export of subscribers become events on the log."""
