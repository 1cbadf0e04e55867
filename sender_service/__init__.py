"""Takes campaign triggers and fans them out as OneSignal calls, once, within limits, accounted for."""
