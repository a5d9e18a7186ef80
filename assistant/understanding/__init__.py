"""Understanding a message: which question it asks, whether it is in scope, whether it asks several."""
