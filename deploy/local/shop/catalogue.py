"""Catalogue of the shop."""

from __future__ import annotations

from dataclasses import dataclass

CURRENCY = "EUR"
SHIPPING = 4.9  # free from this basket total on:
FREE_SHIPPING_FROM = 60
TAX_PERCENT = 21  # contained in the prices


@dataclass(frozen=True)
class Category:
    id: str
    name: str
    line: str


@dataclass(frozen=True)
class Product:
    """Product of the shop. `drawing` and `tint` choose its picture."""

    id: str
    name: str
    category: str
    price: float
    line: str
    drawing: str
    tint: str


CATEGORIES = {
    category.id: category
    for category in (
        Category("bells", "Bells", "Cast one at a time, tuned by ear."),
        Category("chimes", "Chimes", "For gardens, windows and quiet corners."),
        Category("timepieces", "Timepieces", "They strike the hour, and mean it."),
    )
}

PRODUCTS = {
    product.id: product
    for product in (
        Product("101", "Harbour bell", "bells", 79.0, "Solid bronze, 14 cm, wall bracket included.",
                "bell", "brass"),
        Product("102", "Table bell", "bells", 24.5, "Calls everybody to supper.", "handbell", "copper"),
        Product("103", "Shepherd's bell", "bells", 18.0, "Hammered sheet, leather strap.",
                "bell", "moss"),
        Product("201", "Garden chime", "chimes", 39.0, "Five tubes in D, oak disc.", "chime", "moss"),
        Product("202", "Window chime", "chimes", 21.0, "Seven small rods, barely louder than rain.",
                "chime", "sky"),
        Product("203", "Singing bowl", "chimes", 46.0, "Rings for a minute. We counted.",
                "bowl", "brass"),
        Product("301", "Mantel clock", "timepieces", 149.0, "Walnut case, strikes the half hours.",
                "clock", "copper"),
        Product("302", "Travel clock", "timepieces", 58.0, "Folds flat, wakes gently.",
                "clock", "sky"),
        Product("303", "Hourglass", "timepieces", 16.5, "Exactly one cup of tea.", "glass", "brass"),
    )
}  # fmt: skip


def products_of(category: str) -> list[Product]:
    return [product for product in PRODUCTS.values() if product.category == category]
