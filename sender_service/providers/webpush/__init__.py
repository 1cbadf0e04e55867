"""Web Push without a provider between: a skeleton, which the registry doesn't open by default."""
