"""Measures of the code's language and structure, with ceilings that only fall (`make style`)."""
