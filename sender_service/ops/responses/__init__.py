"""Response models of the ops API, which its routes and the commands share."""
