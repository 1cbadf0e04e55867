"""Takes campaign triggers and fans them out as pushes, once, within limits, accounted for."""
