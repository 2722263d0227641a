"""A local Document AI: the gRPC API of `google.cloud.documentai.v1`, with an OCR engine behind it that really reads."""
