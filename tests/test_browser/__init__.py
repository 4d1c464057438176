"""The web page in a real browser: what a person does with mouse, keyboard, finger and clipboard."""
