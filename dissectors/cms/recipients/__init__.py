"""Recipients of CMS messages."""
