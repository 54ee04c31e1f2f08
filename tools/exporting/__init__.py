"""Using a trained version: answering rows with it, and giving it away as adapter, merged model, GGUF or Ollama model."""

from __future__ import annotations
