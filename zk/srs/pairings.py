"""Whether two pairings are equal, which is all that is asked of pairings here."""

import numpy as np
import numpy.typing as npt

from zk.bn254 import g1_negate, pairing_product_is_one

Points = npt.NDArray[np.uint64]


def pairings_are_equal(first: Points, first_g2: Points, second: Points, second_g2: Points) -> bool:
    """Whether `pairing(first, first_g2) = pairing(second, second_g2)`.

    Parameters
    ----------
    first, second
        Points of G1, uint64, shape (1, 2, 4).
    first_g2, second_g2
        Points of G2, uint64, shape (1, 2, 2, 4).
    """
    return pairing_product_is_one([(first, first_g2), (g1_negate(second), second_g2)])
