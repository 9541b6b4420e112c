"""Two hosts in network namespaces, a bad link between them, and real processes on both."""
