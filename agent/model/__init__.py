"""The language model: one client for any OpenAI-compatible endpoint, and the ladder for those that can do less."""
