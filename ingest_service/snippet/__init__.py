"""The browser snippet: plain JavaScript, put together for an app and served to its pages."""
