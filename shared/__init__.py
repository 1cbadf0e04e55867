"""Code that both services stand on: wire models, the stage runner, adapters. Imports no service."""
