"""Demo shop: an origin of its own, as a customer of Carillon would have."""
