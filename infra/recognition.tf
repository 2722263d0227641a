# Documents are read by one OCR processor. Speech-to-Text v2 is called with its implicit recogniser and needs nothing here.

resource "google_document_ai_processor" "ocr" {
  #checkov:skip=CKV2_GCP_22: a pretrained processor keeps no document; a key would have to live in the multi-region of the processor

  location     = var.documentai_location
  display_name = "alta-ocr"
  type         = "OCR_PROCESSOR"

  depends_on = [google_project_service.this]
}
