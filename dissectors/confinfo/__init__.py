"""conference-info documents, the bodies of the conference event package."""
