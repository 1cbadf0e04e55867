"""Writing of a page whose erased members were blanked."""

from __future__ import annotations

from datetime import timedelta

from sender_service.pages.page import Page
from sender_service.privacy.page_erasure import orphaned_bodies
from sender_service.store.erasure import ErasureStore
from sender_service.store.pages import PageStore


async def write_blanked(
    page: Page, pages: PageStore, store: ErasureStore, answer_timeout: timedelta
) -> bool:
    """Write a blanked page, and blank the texts that only erased people would have got.

    Return False if another replica wrote it meanwhile: repeat on a fresh copy. Raises StoreUnavailable.
    """
    changes = page.changes(answer_timeout)
    if changes and not await pages.update(page, changes):
        return False
    if changes:
        await store.blank_bodies(page, orphaned_bodies(page))
    return True
