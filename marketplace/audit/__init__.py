"""The audit: everything that a job decided and paid, checked again from the chain and the content store alone."""
