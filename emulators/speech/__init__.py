"""A local Speech-to-Text: the gRPC API of `google.cloud.speech.v2` before an engine that really transcribes."""
