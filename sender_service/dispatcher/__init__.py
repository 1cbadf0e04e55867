"""Job → OneSignal call → delivery."""
