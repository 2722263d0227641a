"""What a commit raises; apart from the connection, so that whoever handles it need not import gRPC."""

from shared.errors import Changed


class Conflict(Changed):
    """A precondition of a commit did not hold; nothing of it was written."""
