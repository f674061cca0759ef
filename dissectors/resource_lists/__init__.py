"""resource-lists documents, which name recipients."""
