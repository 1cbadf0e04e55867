"""What both services stand on: wire models, the stage runner, adapters. Imports nothing above."""
