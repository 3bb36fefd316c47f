"""The browser, before real pages."""
