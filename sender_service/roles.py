"""Roles of a sender process."""

from __future__ import annotations

ROLES = ("intake", "planner", "scheduler", "dispatcher", "accounting", "scenarios", "ops")
