"""`/me`: an account's jobs and seats, and what it can withdraw from each."""

from webapp.account.pages import pages

__all__ = ["pages"]
