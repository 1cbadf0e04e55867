"""The whole system as its users run it: `python -m deploy.local` and HTTP."""
