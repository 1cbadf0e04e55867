"""What runs Carillon: containers, charts and the local stack."""
