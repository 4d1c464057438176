"""The web app and the HTTP API: parse, call the gallery, report."""
