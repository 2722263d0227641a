"""What keeps the local cloud from starting, said plainly."""


class CannotStartError(Exception):
    """Something that the local cloud needs is missing, taken or broken; the message says what, and what to do."""
