"""What is due → jobs."""
