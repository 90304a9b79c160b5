"""Many jobs at once on one chain, run by the real commands through crashes, outages, lies and full disks."""
