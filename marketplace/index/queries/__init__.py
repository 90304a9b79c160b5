"""What the index answers: lists, pages and profiles, each with the block after which it holds."""
