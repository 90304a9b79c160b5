"""The main job in one process: a local chain, ten trainers of whom three cheat, eight rounds, everybody withdraws."""
