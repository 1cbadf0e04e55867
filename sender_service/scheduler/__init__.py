"""Release due chunks of pages as jobs."""
