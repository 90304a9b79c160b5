"""A whole job in which every step of every party is a process of its own, and many of them are killed."""
