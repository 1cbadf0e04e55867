"""Answers of the ops API as models, which its routes and the commands share."""
