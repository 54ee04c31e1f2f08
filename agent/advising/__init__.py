"""What a language model adds to the steps: a reading of typical errors, an order and words for proposals, checked ideas."""
