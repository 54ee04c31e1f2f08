"""The pieces that screens are made of; each owns its look and its keys."""
