"""The Gram proof to be read: plain Python over `py_ecc`, line by line as in `docs/gram-proof.md`.

It is the specification that the fast prover and verifier and the contract are tested against. It shares no arithmetic,
no parsing and no hashing with them. The prover here takes seconds for a hundred coordinates; the verifier is as quick
for a million as for one.
"""
