"""Every document that one party hands to another: canonical bytes out, typed values or a refusal in."""
