"""Deployment of Carillon: containers, charts and the local stack."""
