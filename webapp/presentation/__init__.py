"""How values are shown: amounts, addresses, times, finality, strangers' words; sentences, and plots."""
