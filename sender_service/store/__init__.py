"""The sender's collections, one file each; only these name MongoDB."""
