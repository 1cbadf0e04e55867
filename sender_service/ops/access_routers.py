"""Routers of who may do what, and who did what."""

from __future__ import annotations

from sender_service.ops.audit import audit_router
from sender_service.ops.tokens import tokens_router

# In the document's order.
ACCESS_ROUTERS = (tokens_router, audit_router)
