"""Stand-in for OneSignal: its REST API with its limits, and browsers that answer.

Self-contained on purpose: it stands for another company and imports nothing of Carillon.
"""
