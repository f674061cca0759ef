"""What the dissectors of XML documents share."""
