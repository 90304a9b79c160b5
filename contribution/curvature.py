"""How the referee's curvature vectors are scaled against its reference: what every rule that reads them has to know.

The fall in loss by an update `delta = q / 2^s` is, to second order, half of `2 <g, delta> - delta' H delta`, with the
slope g and the curvature `H = sum_k lambda_k v_k v_k'`. The referee posts, with one free alpha a round,

    a   = round(alpha g)
    c_k = round(2^8 sqrt(alpha lambda_k 2^-s) v_k).

So a rule that takes `b_i = <a, q_i>` and `K_ij = 2^-16 sum_k <c_k, q_i> <c_k, q_j>` has with `2 b(w) - K(w, w)` twice
the fall by `sum_i w_i q_i / 2^s`, times `alpha 2^s`. The factor `2^8` is there because curvature vectors without it
would be a few units long and rounding would take what they say.
"""

from typing import Final

# The power of two by which the inner products with two curvature vectors are larger than the curvature they stand for.
CURVATURE_BITS: Final = 16
