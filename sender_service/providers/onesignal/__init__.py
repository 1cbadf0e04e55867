"""OneSignal: the REST API behind the provider protocol."""
