"""The hands: typed tools and their shared vocabulary. No language model, no graph, no screen."""
