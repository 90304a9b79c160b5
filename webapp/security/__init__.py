"""What keeps visitors and operator safe: headers, hosts, cross-site requests, limits of size and of rate."""
