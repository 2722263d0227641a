"""The local Cloud Storage: one server that verifies what the real one verifies. See README.md."""
