"""A whole job in which every step of every party is a process of its own, and many of them are killed."""

import os

# Before anything is imported that starts threads, which a process that forks must not have.
for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
