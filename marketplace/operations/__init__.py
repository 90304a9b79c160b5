"""Running long-running parties: which run, what they log and measure, and what is wrong with a machine."""
