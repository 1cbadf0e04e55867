"""The browser snippet: plain JavaScript, assembled for an app and served to its pages."""
