"""Push providers: what delivers rendered pushes to browsers."""
