"""What can be asked of: a picture, whole or in part, maybe refined by what a person said."""
