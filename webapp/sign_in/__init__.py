"""Signing in with an Ethereum account (EIP-4361): who a visitor is, shown by a signature and kept in a session."""

from webapp.sign_in.pages import pages

__all__ = ["pages"]
