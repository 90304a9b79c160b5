"""Experiments that answer one question each, with goals; every one writes its page of docs/evidence/."""
