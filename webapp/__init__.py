"""The web app in which owners and trainers use the market with their wallets."""
