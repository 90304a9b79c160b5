"""What happens beside the data: models by name, data sets, local training, the referee's reference and privacy."""
