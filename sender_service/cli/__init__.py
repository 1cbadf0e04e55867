"""Commands of the sender for operators."""
