"""Extensions of certificates."""
